"""The modal in which an administrator chooses who answers in a channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.blocks import plain
from adapters.slack.words import BIND_CHANNEL, BIND_LABEL, BIND_TITLE, CANCEL, SAVE
from bot.types import LocalText, Persona

MODAL = "parley_bind"
PERSONA = "parley_bind_persona"
CHANNEL = "parley_bind_channel"
MOST = 100
OPTION_CHARS = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    channel: str
    persona: str


def modal(personas: Iterable[Persona], *, channel: str, chosen: str | None, locale: str | None) -> dict[str, Any]:
    options = [
        {
            "text": {"type": "plain_text", "text": f"{persona.title.pick(locale)} ({persona.name})"[:OPTION_CHARS]},
            "value": persona.name,
        }
        for persona in sorted(personas, key=lambda persona: persona.name != chosen)[:MOST]
    ]
    initial = next((option for option in options if option["value"] == chosen), None)
    select: dict[str, Any] = {"type": "static_select", "action_id": PERSONA, "options": options}
    where = {"type": "conversations_select", "action_id": CHANNEL}
    return {
        "type": "modal",
        "callback_id": MODAL,
        "title": plain(BIND_TITLE, locale),
        "submit": plain(SAVE, locale),
        "close": plain(CANCEL, locale),
        "blocks": [
            _input(BIND_CHANNEL, where | {"initial_conversation": channel}, locale),
            _input(BIND_LABEL, select | ({"initial_option": initial} if initial else {}), locale),
        ],
    }


def chosen(view: Mapping[str, Any]) -> Choice:
    """What was submitted."""
    given = {name: value for block in view["state"]["values"].values() for name, value in block.items()}
    return Choice(
        channel=str(given[CHANNEL]["selected_conversation"]),
        persona=str(given[PERSONA]["selected_option"]["value"]),
    )


def _input(label: LocalText, element: dict[str, Any], locale: str | None) -> dict[str, Any]:
    return {"type": "input", "block_id": element["action_id"], "label": plain(label, locale), "element": element}

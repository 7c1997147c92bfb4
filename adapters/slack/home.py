"""The app's home: who there is to talk to, and what is remembered about the person who looks."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapters.slack.blocks import Block, context, plain, section, short
from adapters.slack.words import (
    CANCEL,
    FORGET_ME,
    HOME_HOW,
    HOME_MEMORY,
    HOME_MORE,
    HOME_NOTHING,
    HOME_STORED,
    HOME_TITLE,
    SURE,
    SURE_WHAT,
)
from bot.ports import Store
from bot.types import LocalText, Person, Persona

FORGET = "parley_forget_me"
MOST_PERSONAS = 25
MOST_FACTS = 20
FIELDS = 10  # Slack takes no more in a section
TITLE_CHARS = 75
TEXT_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    conversations: int = 0
    messages: int = 0
    facts: tuple[tuple[str, str], ...] = ()


async def remembered(store: Store, person: Person) -> Remembered:
    """What is stored about a person, counted; and the facts."""
    counts: Counter[str] = Counter()
    facts: dict[str, str] = {}
    async for record in store.records.export(person):
        counts[str(record["record"])] += 1
        if record["record"] == "fact":
            facts[str(record["name"])] = str(record["value"])
    return Remembered(
        conversations=counts["conversation"],
        messages=counts["message"],
        facts=tuple(list(facts.items())[:MOST_FACTS]),
    )


def view(personas: Iterable[Persona], known: Remembered, *, locale: str | None) -> dict[str, Any]:
    everybody = list(personas)
    blocks: list[Block] = [_header(HOME_TITLE, locale), section(HOME_HOW.pick(locale))]
    for persona in everybody[:MOST_PERSONAS]:
        title, what = short(persona.title.pick(locale), TITLE_CHARS), short(persona.description, TEXT_CHARS)
        blocks.append(section(f"*{title}*  `{persona.name}`\n{what}"))
    if len(everybody) > MOST_PERSONAS:
        blocks.append(context(HOME_MORE.pick(locale).format(number=len(everybody) - MOST_PERSONAS)))
    blocks += [{"type": "divider"}, _header(HOME_MEMORY, locale)]
    if known.conversations == 0:
        blocks.append(section(HOME_NOTHING.pick(locale)))
        return {"type": "home", "blocks": blocks}
    stored = HOME_STORED.pick(locale).format(conversations=known.conversations, messages=known.messages)
    blocks.append(section(stored))
    for first in range(0, len(known.facts), FIELDS):
        blocks.append(_facts(known.facts[first : first + FIELDS]))
    blocks.append({"type": "actions", "elements": [_forget_button(locale)]})
    blocks.append(context(SURE_WHAT.pick(locale)))
    return {"type": "home", "blocks": blocks}


def _facts(facts: Iterable[tuple[str, str]]) -> Block:
    texts = (f"*{short(name, TITLE_CHARS)}*\n{short(value, TEXT_CHARS)}" for name, value in facts)
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in texts]}


def _header(text: LocalText, locale: str | None) -> Block:
    return {"type": "header", "text": plain(text, locale)}


def _forget_button(locale: str | None) -> Block:
    return {
        "type": "button",
        "action_id": FORGET,
        "style": "danger",
        "text": plain(FORGET_ME, locale),
        "confirm": {
            "title": plain(SURE, locale),
            "text": plain(SURE_WHAT, locale),
            "confirm": plain(FORGET_ME, locale),
            "deny": plain(CANCEL, locale),
            "style": "danger",
        },
    }

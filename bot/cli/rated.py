"""The rated answers, written as chats, with a word on what was left out and why."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.export import writing

if TYPE_CHECKING:
    from bot.config import Loaded
    from bot.personas import Catalog


async def export_rated(
    loaded: "Loaded", *, persona: str | None, since: datetime | None, out: Path | None
) -> Sequence[str]:
    """Writes the chats; what to say about it. Raises ConfigError where no persona gives leave."""
    from bot.app import open_beside, open_catalog
    from bot.ratings import LeftOut, chat_of

    zone = loaded.settings.zone
    personas = open_catalog(loaded.settings)
    _require_leave(personas, persona)
    known = {one.name: one for one in personas.all()}
    written = 0
    left_out: Counter[LeftOut] = Counter()
    masked: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_beside(loaded))
        file = stack.enter_context(writing(out))
        begin = None if since is None else since.replace(tzinfo=zone)
        async for rated in store.records.rated(persona=persona, since=begin):
            chat = chat_of(rated, known.get(rated.persona), zone=zone)
            if isinstance(chat, LeftOut):
                left_out[chat] += 1
                continue
            messages = [{"role": message.role, "content": message.text} for message in chat.messages]
            file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
            masked.update(chat.masked)
            written += 1
    said = [f"{written} chats."]
    if left_out:
        said.append("Left out: " + ", ".join(f"{number} {reason}" for reason, number in left_out.most_common()) + ".")
    if masked:
        said.append("Masked: " + ", ".join(f"{number} [{kind}]" for kind, number in masked.most_common()) + ".")
    return said


def _require_leave(personas: "Catalog", name: str | None) -> None:
    from bot.errors import ConfigError

    asked = personas.all() if name is None else (personas.get(name),)
    if not any(persona.rating_notice for persona in asked):
        whose = "no persona has" if name is None else f"the persona {name!r} does not have"
        raise ConfigError(f"{whose} `memory: {{train_on_rated: true}}`, without which nothing may be trained on")

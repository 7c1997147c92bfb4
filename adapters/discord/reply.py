"""A reply that grows by edits, cut into messages, at the pace that Discord's headers allow."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import discord
import structlog

from adapters.discord.buttons import when_finished, while_writing
from adapters.discord.posting import Page, Posting
from adapters.discord.texts import SOURCES
from adapters.shared.chunking import Pieces, utf16_length
from adapters.shared.markup.discord import render
from adapters.shared.markup.partial import complete
from adapters.shared.paced import PacedReply
from adapters.shared.pacing import Gate, pacing
from bot.errors import ChannelBusy, ChannelError
from bot.types import Delivery, Source

LIMIT = 1900  # what is rendered may be a little longer than what was written
MOST = 2000
NOTHING = "…"
TYPING_SECONDS = 8
MOST_SOURCES = 8
REST = timedelta(seconds=1)

log = structlog.stdlib.get_logger()


@asynccontextmanager
async def replying(posting: Posting, *, gate: Gate, every: timedelta) -> AsyncIterator[PacedReply]:
    """Typing until the reply is left; what was written is shown at a normal end."""

    async def send(text: str) -> None:
        try:
            await posting.show(_growing(posting.turn, text))
        except ChannelError as error:  # the answer goes on: its delivery shows it whole, in its own time
            log.info("an edit of a growing reply was lost", turn=posting.turn, error=str(error))
            posting.unsure = True
            gate.hold(posting.room, error.wait if isinstance(error, ChannelBusy) else REST)
            return
        major = posting.use.token if posting.use is not None else str(posting.room)
        gate.hold(posting.room, posting.rest.pause("PATCH", major))

    typing = asyncio.create_task(_type(posting), name=f"typing {posting.turn}")
    try:
        async with pacing(send, every=every, gate=gate, key=posting.room) as pace:
            yield PacedReply(pace)
    finally:
        typing.cancel()
        await asyncio.wait({typing})


def finished(delivery: Delivery, *, locale: str | None) -> list[Page]:
    """The pages of a reply that is done: buttons and sources are on the last."""
    texts = dressed(delivery.message.text) or [NOTHING]
    view = when_finished(delivery.turn, delivery.state, long=len(texts) > 1)
    embeds = (_sources(delivery.message.sources, locale),) if delivery.message.sources else ()
    return [*(Page(text=text) for text in texts[:-1]), Page(text=texts[-1], view=view, embeds=embeds)]


def dressed(text: str) -> list[str]:
    """The messages of a Markdown text as Discord shows it, each within its limit."""
    limit = LIMIT
    while True:
        pieces = [render(piece) for piece in Pieces(limit=limit, length=utf16_length).set(text)]
        if all(utf16_length(piece) <= MOST for piece in pieces) or limit < 400:
            return [piece for piece in pieces if piece.strip()]
        limit = limit * 2 // 3


def _growing(turn: str, text: str) -> Sequence[Page]:
    texts = dressed(complete(text)) or [NOTHING]
    return [*(Page(text=text) for text in texts[:-1]), Page(text=texts[-1], view=while_writing(turn))]


def _sources(sources: Sequence[Source], locale: str | None) -> discord.Embed:
    lines = [f"• {render(source.title)} ({render(source.path)})"[:300] for source in sources[:MOST_SOURCES]]
    return discord.Embed(title=SOURCES.pick(locale), description="\n".join(lines))


async def _type(posting: Posting) -> None:
    """Until cancelled. Where the bot may not, nobody sees it type; an interaction shows by itself that it works."""
    while posting.use is None:
        with suppress(discord.DiscordException, ChannelError, OSError):
            await posting.rest.room(posting.room).typing()
        await asyncio.sleep(TYPING_SECONDS)

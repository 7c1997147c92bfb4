"""Discord as a channel: any replica shows replies, one a shard hears."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from adapters.discord.desk import Desk
from adapters.discord.failures import told
from adapters.discord.inbound import CHANNEL, room_of
from adapters.discord.posting import Posting
from adapters.discord.reply import finished, replying
from adapters.discord.rest import open_rest
from adapters.discord.settings import DiscordSettings
from adapters.discord.shards import Shards
from adapters.discord.shown import Shown
from adapters.discord.uses import EVENT, Uses
from adapters.shared.paced import PacedReply
from adapters.shared.pacing import Gate
from bot.ports import Core
from bot.types import ConversationKey, Delivery, Turn

MOST_POSTINGS = 1000

log = structlog.stdlib.get_logger()


class DiscordChannel:
    name = CHANNEL

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._every = timedelta(seconds=desk.settings.edit_seconds)
        self._gate = Gate(every=timedelta(milliseconds=1))
        self._postings: OrderedDict[str, Posting] = OrderedDict()

    @property
    def holder(self) -> str:
        """This replica's name in leases."""
        return self._desk.holder

    async def listen(self) -> None:
        if not self._desk.rest.application.flags.gateway_message_content_limited and not (
            self._desk.rest.application.flags.gateway_message_content
        ):
            log.warning(
                "Discord does not show the bot all messages: it answers mentions, direct messages and commands; for "
                "threads without mentions switch on Message Content Intent at discord.com/developers → Bot"
            )
        await Shards(self._desk).keep()

    @asynccontextmanager
    async def reply(self, turn: Turn) -> AsyncIterator[PacedReply]:
        async def note(shown: str) -> None:
            await self._desk.core.store.turns.place(turn, shown)

        posting = await self._posting(turn.id, turn.conversation, turn.shown, unsure=turn.attempt > 1)
        posting.note = note
        async with replying(posting, gate=self._gate, every=self._every) as reply:
            yield reply
        self._keep(posting)

    async def deliver(self, delivery: Delivery) -> None:
        posting = self._postings.pop(delivery.turn, None)
        if posting is None:
            posting = await self._posting(
                delivery.turn, delivery.conversation, delivery.shown, unsure=delivery.may_be_seen
            )
        posting.note = _forget
        found = await self._desk.core.store.conversations.get(delivery.conversation)
        await posting.show(finished(delivery, locale=found.locale if found else None), settle=True)
        for use in await self._desk.uses.of(await self._desk.core.store.turns.asked(delivery.turn)):
            if posting.use is None or use.id != posting.use.id:
                with told("an answer that went elsewhere"):
                    await self._desk.rest.webhook(use.token).delete_message(use.message)
            await self._desk.uses.done(use)

    async def _posting(self, turn: str, key: ConversationKey, shown: str | None, *, unsure: bool) -> Posting:
        asked = await self._desk.core.store.turns.asked(turn)
        uses = await self._desk.uses.of(asked)
        newest = asked[-1].partition(".")[0] if asked else ""  # what follows the point tells an edit
        question = int(newest) if newest.isdigit() and key.tenant != "dm" else None
        return Posting(
            rest=self._desk.rest,
            turn=turn,
            room=room_of(key),
            question=None if newest == key.thread else question,
            use=uses[-1] if uses and newest.startswith(EVENT) else None,
            shown=Shown.decode(shown),
            unsure=unsure,
            note=_forget,
        )

    def _keep(self, posting: Posting) -> None:
        """For the delivery that follows at once: it need not look where the reply is."""
        self._postings[posting.turn] = posting
        if len(self._postings) > MOST_POSTINGS:
            self._postings.popitem(last=False)


async def _forget(shown: str) -> None:
    """A reply that is done is noted as delivered instead."""


@asynccontextmanager
async def open_channel(settings: DiscordSettings, core: Core) -> AsyncIterator[DiscordChannel]:
    """Logged in. Raises ConfigError: a token or address that is wrong, in one line."""
    async with open_rest(settings) as rest:
        desk = Desk(core=core, settings=settings, rest=rest, uses=Uses(core.store.vault, settings))
        yield DiscordChannel(desk)

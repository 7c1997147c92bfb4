"""The messages that a message answers, one behind the other."""

import asyncio
from collections import OrderedDict

import aiohttp
import discord
import structlog

from adapters.discord.inbound import names_us

MOST = 5
KEPT = 1000
PATIENCE_SECONDS = 3

log = structlog.stdlib.get_logger()


class Answered:
    """Knows what was written lately, and asks Discord for what is older. `me` is the bot's id."""

    def __init__(self, me: int) -> None:
        self._me = me
        self._known: OrderedDict[int, discord.Message] = OrderedDict()

    def note(self, message: discord.Message) -> None:
        self._known[message.id] = message
        self._known.move_to_end(message.id)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)

    def forget(self, message: int) -> None:
        self._known.pop(message, None)

    async def by(self, message: discord.Message, *, most: int = MOST) -> tuple[discord.Message, ...]:
        """Oldest first, at most `most`.

        A message of the bot's own, or one that was for it, is where the rest begins that it remembers anyway. What
        Discord does not show ends it as well.
        """
        found: list[discord.Message] = []
        known: set[int] = set()
        last = message
        while len(found) < most:
            before = await self._before(last, known)
            if before is None or before.author.id == self._me:
                break
            found.append(before)
            if names_us(before, self._me):
                break
            last = before
        return tuple(reversed(found))

    async def _before(self, message: discord.Message, known: set[int]) -> discord.Message | None:
        """`known` are those that were not told by Discord just now: what they carry along may be deleted since."""
        reference = message.reference
        if message.type is not discord.MessageType.reply or reference is None or reference.message_id is None:
            return None
        if reference.message_id in self._known:
            known.add(reference.message_id)
            return self._known[reference.message_id]
        if message.id not in known and reference.resolved is not None:
            return reference.resolved if isinstance(reference.resolved, discord.Message) else None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):  # discord.py tries again for half a minute
                return await message.channel.fetch_message(reference.message_id)
        except (discord.Forbidden, discord.NotFound):
            return None
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.info("what a message answers was not read", message=message.id, error=str(error))
            return None

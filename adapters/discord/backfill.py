"""After an outage that no RESUME covers: reads what was written meanwhile."""

import asyncio
from collections.abc import Callable

import aiohttp
import discord
import structlog

from adapters.discord.desk import Desk
from adapters.discord.hearing import DM_PREFIX

MOST_A_ROOM = 1000
RETRY_SECONDS = 5

log = structlog.stdlib.get_logger()


async def backfill(client: discord.Client, desk: Desk, *, after: int, hear: Callable[[discord.Message], None]) -> None:
    """Hear every message after that id, in each room in order; those that were heard before are known by their ids."""
    since = discord.Object(after)
    for room in await _rooms(client, desk, after):
        await _read(room, since, hear)


async def _read(room: discord.abc.Messageable, since: discord.Object, hear: Callable[[discord.Message], None]) -> None:
    """Again where Discord does not answer; what is heard twice by that is known by its id."""
    while True:
        try:
            async for message in room.history(after=since, limit=MOST_A_ROOM, oldest_first=True):
                hear(message)
        except (discord.Forbidden, discord.NotFound):
            return
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.warning("a room is read again after an outage", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _rooms(client: discord.Client, desk: Desk, after: int) -> list[discord.abc.Messageable]:
    """Rooms with something new, as the gateway tells, and the direct messages we know of this shard."""
    rooms: list[discord.abc.Messageable] = []
    for guild in client.guilds:
        rooms += [channel for channel in guild.text_channels if (channel.last_message_id or 0) > after]
        rooms += [thread for thread in guild.threads if (thread.last_message_id or 0) > after]
    if client.shard_id in (None, 0):
        known = await desk.core.store.vault.names(DM_PREFIX)
        rooms += [client.get_partial_messageable(int(name.removeprefix(DM_PREFIX))) for name in known]
    return rooms

"""Finds the room and thread of a channel id, and opens threads."""

from collections import OrderedDict

import discord

from adapters.discord.failures import told
from adapters.discord.inbound import Place

MOST = 10_000
ALREADY = 160004
LONGEST_NAME = 90


class Places:
    """Threads are looked up once; discord.py's cache knows most, but not after a RESUME by a new process."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._parents: OrderedDict[int, int | None] = OrderedDict()

    async def of(self, channel: discord.abc.Snowflake) -> Place:
        """Raises ChannelError."""
        guild = getattr(channel, "guild", None)
        guild_id = guild.id if guild is not None else getattr(channel, "guild_id", None)
        if guild_id is None:
            return Place(guild=None, room=channel.id)
        if isinstance(channel, discord.Thread):
            self._know(channel.id, channel.parent_id)
        elif not isinstance(channel, discord.PartialMessageable):
            self._know(channel.id, None)
        elif channel.id not in self._parents:
            with told("a look at a channel"):
                found = await self._client.fetch_channel(channel.id)
            self._know(channel.id, found.parent_id if isinstance(found, discord.Thread) else None)
        parent = self._parents[channel.id]
        if parent is None:
            return Place(guild=guild_id, room=channel.id)
        return Place(guild=guild_id, room=parent, thread=channel.id)

    async def thread_for(self, message: discord.Message, place: Place, *, name: str) -> Place:
        """A thread that begins with the message, which gives it its id; the place itself where that may not be."""
        try:
            await message.create_thread(name=name[:LONGEST_NAME])
        except discord.Forbidden:
            return place
        except discord.HTTPException as error:
            if error.code != ALREADY:
                return place
        self._know(message.id, place.room)
        return Place(guild=place.guild, room=place.room, thread=message.id)

    def _know(self, channel: int, parent: int | None) -> None:
        self._parents[channel] = parent
        if len(self._parents) > MOST:
            self._parents.popitem(last=False)

"""Takes messages in: whether they are for the bot, and what goes with them."""

from collections.abc import Collection
from dataclasses import replace

import discord

from adapters.discord.answered import Answered
from adapters.discord.attachments import Read, read
from adapters.discord.desk import Desk
from adapters.discord.failures import told
from adapters.discord.inbound import CHANNEL, Place, heard, is_heard, names_us, parse
from adapters.discord.places import Places
from adapters.discord.texts import THREAD
from bot.types import Heard

EARLIER = 20
DM_PREFIX = "discord.dm."


class Hearing:
    def __init__(self, desk: Desk, places: Places) -> None:
        self._desk = desk
        self._places = places
        self._direct: set[int] = set()
        self._answered = Answered(desk.rest.me)

    async def message(self, message: discord.Message) -> None:
        """Raises StoreUnavailable, then it is to be heard again; ChannelError where Discord does not tell enough."""
        desk, me = self._desk, self._desk.rest.me
        self._answered.note(message)
        if not is_heard(message):
            return
        place = await self._places.of(message.channel)
        if not self._is_served(place) or not (message.content or message.attachments):
            return
        if place.guild is None:
            await self._remember(place.room)
        named, ours = names_us(message, me), await self._is_ours(place)
        if not named and not ours:
            return
        if named and place.thread is None and place.guild is not None and desk.settings.answers == "thread":
            name = message.clean_content.lstrip("@ ") or THREAD.pick(None)
            place = await self._places.thread_for(message, place, name=name)
        answered = await self._answered_by(message, ours=ours)
        earlier = await self._earlier(message, place, but={found.id for found in answered})
        files = await read(message.attachments, most=desk.settings.attachment_bytes, locale=None)
        inbound = parse(message, place, me=me, answered=answered, files=files.text, earlier=earlier)
        accepted = await desk.core.inbox.accept(inbound) if inbound.text else None
        if files.refused and (accepted is None or not accepted.duplicate):
            await self._refuse(message, files)

    async def edit(self, message: discord.Message) -> None:
        me = self._desk.rest.me
        self._answered.note(message)
        place = await self._places.of(message.channel)
        if not is_heard(message) or not self._is_served(place) or not message.content or message.edited_at is None:
            return
        edited = f"{message.id}.{message.edited_at.timestamp():.3f}"
        ours = await self._is_ours(place)
        if names_us(message, me) or ours:
            answered = await self._answered_by(message, ours=ours)
            inbound = replace(parse(message, place, me=me, answered=answered), event_id=edited)
            if inbound.text:
                await self._desk.core.inbox.edit(inbound)

    async def delete(self, guild: int | None, message: int) -> None:
        self._answered.forget(message)
        tenant = Place(guild=guild, room=0).tenant
        await self._desk.core.inbox.retract(CHANNEL, tenant, str(message))

    def _is_served(self, place: Place) -> bool:
        guilds = self._desk.settings.guilds
        return place.guild is None or not guilds or str(place.guild) in guilds

    async def _is_ours(self, place: Place) -> bool:
        """Whether every message there is for the bot: between the two, in its own rooms, in a thread it is in."""
        if place.guild is None or str(place.room) in self._desk.settings.rooms:
            return True
        return place.thread is not None and await self._desk.core.store.conversations.get(place.key) is not None

    async def _answered_by(self, message: discord.Message, *, ours: bool) -> tuple[discord.Message, ...]:
        """Where every message is for the bot, it remembers what is behind the one that is answered."""
        return await self._answered.by(message, most=1) if ours else await self._answered.by(message)

    async def _earlier(self, message: discord.Message, place: Place, *, but: Collection[int]) -> tuple[Heard, ...]:
        """What was said in a thread before the bot was called there, `but` for what is told with the question."""
        if place.thread is None or place.thread == message.id:
            return ()
        if await self._desk.core.store.conversations.get(place.key) is not None:
            return ()
        with told("a thread's history"):
            before = [found async for found in message.channel.history(limit=EARLIER, before=message)]
        me = self._desk.rest.me
        return tuple(heard(found, me) for found in reversed(before) if found.content and found.id not in but)

    async def _remember(self, room: int) -> None:
        """Discord tells nobody which direct messages there are: those we know are read after an outage."""
        if room not in self._direct:
            await self._desk.core.store.vault.put(f"{DM_PREFIX}{room}", "")
            self._direct.add(room)

    async def _refuse(self, message: discord.Message, files: Read) -> None:
        with told("a word about a file"):
            await message.reply("\n".join(files.refused)[:2000], nonce=f"f{message.id}")

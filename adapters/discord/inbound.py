"""What people write on Discord becomes an `Inbound`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from adapters.shared.markup.incoming import from_discord
from bot.types import Author, ConversationKey, Heard, Inbound

CHANNEL = "discord"
DIRECT = "dm"
LONGEST_QUOTES = 1500
SPOKEN = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is written: the server (None: a direct message), the room, and the thread in it."""

    guild: int | None
    room: int
    thread: int | None = None

    @property
    def tenant(self) -> str:
        return DIRECT if self.guild is None else str(self.guild)

    @property
    def key(self) -> ConversationKey:
        thread = None if self.thread is None else str(self.thread)
        return ConversationKey(channel=CHANNEL, tenant=self.tenant, room=str(self.room), thread=thread)


def room_of(key: ConversationKey) -> int:
    """The channel or thread that the replies of a conversation go to."""
    return int(key.thread) if key.thread is not None and key.thread.isdigit() else int(key.room)


def is_heard(message: discord.Message) -> bool:
    """Whether a person wrote it, and not a bot, a webhook or Discord itself."""
    return message.type in SPOKEN and message.webhook_id is None and not message.author.bot


def names_us(message: discord.Message, me: int) -> bool:
    """Whether the message mentions the bot or answers one of its messages."""
    original = message.reference.resolved if message.reference else None
    answers_us = isinstance(original, discord.Message) and original.author.id == me
    return answers_us or any(user.id == me for user in message.mentions)


def text_of(message: discord.Message, me: int, answered: Sequence[discord.Message] = ()) -> str:
    """What was said, in plain text; without the mention that calls the bot. Before it, as quotations, the messages of
    others that it answers, in their order; together no longer than `LONGEST_QUOTES`."""
    quotes: list[str] = []
    room = LONGEST_QUOTES
    for original in reversed(answered):
        quoted = said(original, me)[:room]
        room -= len(quoted)
        if quoted:
            quotes.insert(0, f"> {original.author.display_name}: " + quoted.replace("\n", "\n> "))
    return "\n\n".join((*quotes, said(message, me)))


def said(message: discord.Message, me: int) -> str:
    names = {str(user.id): user.display_name for user in message.mentions}
    called = re.sub(rf"^\s*<@!?{me}>[\s,:，：]*|\s*<@!?{me}>\s*$", "", message.content)
    return from_discord(called, person=names.get).strip()


def author_of(user: discord.User | discord.Member) -> Author:
    return Author(id=str(user.id), name=user.display_name, is_bot=user.bot)


def heard(message: discord.Message, me: int) -> Heard:
    author = message.author
    return Heard(
        author=Author(id=str(author.id), name=author.display_name, is_self=author.id == me, is_bot=author.bot),
        text=said(message, me),
        at=message.created_at,
        message_id=str(message.id),
    )


def parse(
    message: discord.Message,
    place: Place,
    *,
    me: int,
    answered: Sequence[discord.Message] = (),
    files: str = "",
    earlier: tuple[Heard, ...] = (),
) -> Inbound:
    """The message of a person; `answered` are those that it answers, `files` is what its attachments say."""
    return Inbound(
        event_id=str(message.id),
        message_id=str(message.id),
        conversation=place.key,
        author=author_of(message.author),
        text="\n\n".join(part for part in (text_of(message, me, answered), files) if part),
        received_at=message.created_at,
        earlier=earlier,
        may_choose=may_choose(message.author),
    )


def may_choose(user: discord.User | discord.Member) -> bool:
    """Whether somebody may choose who answers there: in a direct message, or who may manage the channel's server."""
    if not isinstance(user, discord.Member):
        return True
    permissions = user.resolved_permissions or user.guild_permissions
    return permissions.manage_channels or permissions.administrator

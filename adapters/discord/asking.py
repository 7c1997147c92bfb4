"""Questions that come by interactions: answered at once with "thinking", then taken in like messages."""

import time
from datetime import UTC, datetime

import discord

from adapters.discord.desk import Desk
from adapters.discord.inbound import Place, author_of, may_choose
from adapters.discord.places import Places
from adapters.discord.texts import NOT_HERE, UNAVAILABLE
from adapters.discord.uses import Use
from bot.errors import ParleyError
from bot.types import ConversationKey, Inbound


async def ask(
    interaction: discord.Interaction, desk: Desk, text: str, *, persona: str | None = None, private: bool = False
) -> None:
    """Take in what somebody asks; the reply fills the response. `private`: only they see it."""
    locale = str(interaction.locale)
    if not is_served(interaction, desk):
        await interaction.response.send_message(NOT_HERE.pick(locale), ephemeral=True)
        return
    deferred = await interaction.response.defer(thinking=True, ephemeral=private)
    message = deferred.message_id if deferred is not None else None
    if message is None:
        message = (await interaction.original_response()).id
    use = Use(
        id=str(interaction.id),
        token=interaction.token,
        message=message,
        made_at=time.time(),
        outside=private or is_outside(interaction),
    )
    try:
        await desk.uses.put(use)
        key = await key_of(interaction, persona)
        if persona is not None:
            await desk.core.store.conversations.open(key, persona=persona, locale=locale)
        await desk.core.inbox.accept(
            Inbound(
                event_id=use.event_id,
                conversation=key,
                author=author_of(interaction.user),
                text=text,
                locale=locale,
                received_at=datetime.now(UTC),
                may_choose=may_choose(interaction.user),
            )
        )
    except ParleyError:
        await interaction.edit_original_response(content=UNAVAILABLE.pick(locale))
        raise


async def key_of(interaction: discord.Interaction, persona: str | None = None) -> ConversationKey:
    """The conversation of the place; with `persona` the one that is led with it there."""
    if interaction.channel is None:
        place = Place(guild=interaction.guild_id, room=interaction.channel_id or 0)
    else:
        place = await Places(interaction.client).of(interaction.channel)
    key = place.key
    if persona is None:
        return key
    room = key.thread or key.room
    return ConversationKey(channel=key.channel, tenant=key.tenant, room=room, thread=persona)


def is_served(interaction: discord.Interaction, desk: Desk) -> bool:
    guilds = desk.settings.guilds
    return interaction.guild_id is None or not guilds or str(interaction.guild_id) in guilds


def is_outside(interaction: discord.Interaction) -> bool:
    """Whether somebody brought the application along to a place that the bot is not in."""
    if interaction.guild_id is not None:
        return not interaction.is_guild_integration()
    return not interaction.context.dm_channel

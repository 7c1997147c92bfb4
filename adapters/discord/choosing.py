"""Who answers in a place: chosen by `/persona`, or from the menu below its list."""

import discord

from adapters.discord.asking import ask, is_served
from adapters.discord.desk import Desk
from adapters.discord.inbound import CHANNEL, may_choose
from adapters.discord.texts import CHOOSE

CHOICE = "parley.persona"  # the menu's id: the same on every replica and after a restart
MOST_CHOICES = 25
LABEL_CHARS = 100


def menu(desk: Desk, *, locale: str) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    options = [
        discord.SelectOption(
            label=persona.title.pick(locale)[:LABEL_CHARS],
            value=persona.name,
            description=persona.description[:LABEL_CHARS],
        )
        for persona in desk.core.personas.all()[:MOST_CHOICES]
    ]
    view.add_item(discord.ui.Select(custom_id=CHOICE, placeholder=CHOOSE.pick(locale), options=options))
    view.stop()  # discord.py need not remember it: the choice is told by its id
    return view


async def offer(interaction: discord.Interaction, desk: Desk) -> None:
    """The list of personas, and a menu that only the asker sees."""
    await ask(interaction, desk, "!persona")
    if is_served(interaction, desk) and desk.core.personas.all():
        locale = str(interaction.locale)
        await interaction.followup.send(CHOOSE.pick(locale), view=menu(desk, locale=locale), ephemeral=True)


async def choose(interaction: discord.Interaction, desk: Desk, persona: str) -> None:
    """In a server, the choice of who may manage the channel holds for the room."""
    known = {found.name for found in desk.core.personas.all()}
    bound = persona in known and interaction.guild_id is not None and may_choose(interaction.user)
    await ask(interaction, desk, f"!persona {persona}")
    if bound and is_served(interaction, desk):
        channel = interaction.channel
        room = channel.parent_id if isinstance(channel, discord.Thread) else interaction.channel_id
        await desk.core.store.rooms.bind(CHANNEL, str(interaction.guild_id), str(room), persona)

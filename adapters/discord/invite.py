"""The link with which somebody adds the bot to a server, or to themselves."""

import discord

from adapters.discord.settings import DiscordSettings

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
)


def invitation(settings: DiscordSettings) -> str:
    """The link, with the scopes and permissions that Parley uses and no others."""
    return discord.utils.oauth_url(
        settings.application, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
    )

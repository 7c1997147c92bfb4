"""The Discord channel, with discord.py."""

from adapters.discord.channel import DiscordChannel, open_channel
from adapters.discord.invite import invitation
from adapters.discord.settings import DiscordSettings
from bot.ports import ChannelPlugin

__all__ = ["DiscordChannel", "DiscordSettings", "open_channel", "plugin"]

plugin: ChannelPlugin[DiscordSettings] = ChannelPlugin(DiscordSettings, open_channel, papers={"invite": invitation})

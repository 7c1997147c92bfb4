"""Texts that a channel makes for whoever sets it up."""

from pathlib import Path


def paper(channel: str, name: str, config: Path | None) -> str:
    """Raises UnknownPlugin, ConfigError."""
    from bot.cli.options import settings
    from bot.errors import UnknownPlugin
    from bot.plugins import find
    from bot.ports import ChannelPlugin

    plugin = find("parley.channels", channel)
    if not isinstance(plugin, ChannelPlugin) or name not in plugin.papers:
        raise UnknownPlugin(channel, hint=f"it makes no {name}")
    return plugin.papers[name](settings(config, {}).section(f"channels.{channel}", plugin))

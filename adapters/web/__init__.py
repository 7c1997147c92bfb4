"""The web channel: API, event streams, widget and demo page."""

from adapters.web.channel import WebChannel, open_channel
from adapters.web.settings import WebSettings
from bot.ports import ChannelPlugin

__all__ = ["WebChannel", "WebSettings", "open_channel", "plugin"]

plugin: ChannelPlugin[WebSettings] = ChannelPlugin(WebSettings, open_channel)

"""The engine for other programs, over the OpenAI protocol: `/v1/chat/completions` and `/v1/models`."""

from adapters.openai.server import open_server
from adapters.openai.settings import ServeSettings
from bot.ports import ServerPlugin

__all__ = ["ServeSettings", "open_server", "plugin"]

plugin: ServerPlugin[ServeSettings] = ServerPlugin(ServeSettings, open_server)

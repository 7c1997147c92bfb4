"""The bus for one process."""

from bot.ports import Bus, Plugin
from storage.local.bus import LocalBus, open_bus
from storage.local.settings import LocalBusSettings

__all__ = ["LocalBus", "LocalBusSettings", "open_bus", "plugin"]

plugin: Plugin[LocalBusSettings, Bus] = Plugin(LocalBusSettings, open_bus)

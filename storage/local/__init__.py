"""What replicas share, for one process."""

from bot.ports import Plugin, Shared
from storage.local.bus import LocalBus, open_bus
from storage.local.settings import LocalBusSettings
from storage.local.shared import LocalShared, open_shared

__all__ = ["LocalBus", "LocalBusSettings", "LocalShared", "open_bus", "open_shared", "plugin"]

plugin: Plugin[LocalBusSettings, Shared] = Plugin(LocalBusSettings, open_shared)

"""What replicas share through Redis."""

from bot.ports import Plugin, Shared
from storage.redis.bus import RedisBus
from storage.redis.settings import RedisSettings
from storage.redis.shared import RedisShared, open_shared

__all__ = ["RedisBus", "RedisSettings", "RedisShared", "open_shared", "plugin"]

plugin: Plugin[RedisSettings, Shared] = Plugin(RedisSettings, open_shared)

"""The memory of conversations, where every replica finds it."""

from contextlib import suppress
from datetime import timedelta

from bot.types import ConversationKey, Memory
from storage.redis import scripts
from storage.redis.codec import dump_memory, load_memory
from storage.redis.link import Link

_FORGOTTEN = timedelta(seconds=30)


class RedisWindow:
    def __init__(self, link: Link) -> None:
        self._link = link

    async def get(self, conversation: ConversationKey) -> Memory | None:
        try:
            data = await self._link.do("GET", self._key(conversation))
            return load_memory(data) if data else None
        except (ConnectionError, ValueError):
            return None

    async def put(self, conversation: ConversationKey, memory: Memory) -> None:
        key, data, settings = self._key(conversation), dump_memory(memory), self._link.settings
        with suppress(ConnectionError):
            if len(data) > settings.memory_bytes:
                await self._link.do("DEL", key)
            else:
                await self._link.run(scripts.PUT, (key,), data, round(settings.memory_seconds * 1000))

    async def forget(self, conversation: ConversationKey) -> None:
        key = self._key(conversation)
        life = round(_FORGOTTEN.total_seconds() * 1000)
        await self._link.surely(key, lambda: self._link.do("SET", key, b"", "PX", life))

    def _key(self, conversation: ConversationKey) -> str:
        return self._link.key("memory", conversation.encode())

"""accept(): the only way a message comes in, whatever the channel."""

from collections.abc import Mapping

from bot.ports import Bus, Store
from bot.types import Accepted, ConversationKey, Inbound, Turn


class StoredInbox:
    """Commits messages before they are confirmed. `routes` names for each channel the persona of its rooms;
    the key `default` stands for rooms it does not name."""

    def __init__(self, *, store: Store, bus: Bus, routes: Mapping[str, Mapping[str, str]]) -> None:
        self._store = store
        self._bus = bus
        self._routes = routes

    async def accept(self, inbound: Inbound) -> Accepted | None:
        if inbound.author.is_self or not inbound.addressed:
            return None
        key = inbound.conversation
        rooms = self._routes[key.channel]
        persona = rooms.get(key.room, rooms["default"])
        accepted = await self._store.intake.accept(inbound, persona=persona)
        await self._bus.publish("wake", key.encode())
        return accepted

    async def stop(self, turn: str) -> Turn | None:
        found = await self._store.turns.request_stop(turn)
        if found is not None and not found.state.is_final:
            await self._bus.publish("stop", turn)
        return found

    async def erase(self, conversation: ConversationKey) -> None:
        newest = await self._store.turns.newest(conversation)
        await self._store.conversations.erase(conversation)
        if newest is not None and not newest.state.is_final:
            await self._bus.publish("stop", newest.id)
        await self._bus.forget(conversation)

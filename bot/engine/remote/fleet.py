"""Which endpoint is asked."""

from collections.abc import Collection, Sequence
from hashlib import sha256

from bot.engine.remote.endpoint import Endpoint


class Fleet:
    """A conversation has an endpoint of its own, the same on every replica, whose cache holds its beginning.

    It goes elsewhere while that one is unwell, or has `spill` more requests in flight than the idlest. Requests of no
    conversation go to the idlest.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, spill: int) -> None:
        self.endpoints = tuple(endpoints)
        self._spill = spill

    def choose(self, conversation: str | None, *, besides: Collection[Endpoint] = ()) -> Endpoint | None:
        """None where none may be asked now."""
        able = [each for each in self.endpoints if each not in besides and each.breaker.allows]
        well = [each for each in able if each.wrong is None] or able
        if not well:
            return None
        idlest = min(well, key=lambda each: (each.outstanding, each.served))
        if conversation is not None:
            home = max(well, key=lambda each: sha256(f"{each.url}\n{conversation}".encode()).digest())
            if home.outstanding <= idlest.outstanding + self._spill:
                return home
        return idlest

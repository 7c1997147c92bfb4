"""Requests to stop turns, as they reach the replica that runs them."""

import asyncio
from collections import OrderedDict


class Stops:
    """Requests to stop, also those that arrive a moment before their turn begins here."""

    REMEMBERED = 1000

    def __init__(self) -> None:
        self._asked: OrderedDict[str, None] = OrderedDict()
        self._watched: dict[str, asyncio.Future[None]] = {}

    def ask(self, turn: str) -> None:
        self._asked[turn] = None
        while len(self._asked) > self.REMEMBERED:
            self._asked.popitem(last=False)
        future = self._watched.get(turn)
        if future is not None and not future.done():
            future.set_result(None)

    def watch(self, turn: str) -> "Watch":
        return Watch(self._watched, turn, asked=turn in self._asked)


class Watch:
    """A future that is done once the turn shall stop; forgotten on exit."""

    def __init__(self, watched: dict[str, asyncio.Future[None]], turn: str, *, asked: bool) -> None:
        self._watched = watched
        self._turn = turn
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if asked:
            self._future.set_result(None)

    def __enter__(self) -> asyncio.Future[None]:
        self._watched[self._turn] = self._future
        return self._future

    def __exit__(self, *_: object) -> None:
        del self._watched[self._turn]
        self._future.cancel()

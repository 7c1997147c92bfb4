"""A replica's connection to the platform: lines of JSON, requests with answers that may be lost."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

_ANSWER_SECONDS = 0.4


class Line:
    """`passed` hears of each point between which the process may die: `post.before-send`, `ack.after` and so on."""

    def __init__(self, *, port: int, flavour: str, passed: Callable[[str], None]) -> None:
        self._port = port
        self._hello = {"flavour": flavour}
        self._passed = passed
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._connected = asyncio.Event()

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Connect and receive what people write; answers to requests go to those who wait for them."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._write(self._hello)
        self._connected.set()
        while line := await reader.readline():
            heard = json.loads(line)
            if "event" in heard:
                yield heard
            elif (asked := self._asked.get(heard["id"])) is not None and not asked.done():
                asked.set_result(heard)

    async def ask(self, op: str, *, point: str, **values: Any) -> dict[str, Any]:
        """The platform's answer. TimeoutError: what was asked for may have been done or not."""
        await self._connected.wait()
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._passed(f"{point}.before-send")
        self._write({"id": number, "op": op, **values})
        self._passed(f"{point}.after-send")
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await answer
        finally:
            del self._asked[number]
            self._passed(f"{point}.answered")

    def acknowledge(self, event: str) -> None:
        self._passed("ack.before-send")
        self._write({"ack": event})
        self._passed("ack.after-send")

    def complain(self, what: str) -> None:
        """Tell of a request that the core made too early."""
        self._write({"early": what})

    def _write(self, line: dict[str, Any]) -> None:
        self._writer.write(json.dumps(line).encode() + b"\n")

"""Work that comes in order for each room, and waits for the database where it has to."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from bot.errors import ParleyError, StoreError

RETRY_SECONDS = 1.0

log = structlog.stdlib.get_logger()

Job = Callable[[], Awaitable[None]]


class Lines:
    """One line a room. A job that finds no database stays at the head of its line until it does."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[tuple[int, Job]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, room: int, number: int, job: Job) -> None:
        """`number` is the message's id, by which `oldest` tells how far everything was taken in."""
        line = self._waiting.get(room)
        if line is not None:
            line.append((number, job))
            return
        self._waiting[room] = deque([(number, job)])
        task = asyncio.create_task(self._work(room), name=f"line {room}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def idle(self) -> bool:
        return not self._waiting

    @property
    def oldest(self) -> int | None:
        """The least number that waits."""
        return min((line[0][0] for line in self._waiting.values() if line), default=None)

    async def drained(self) -> None:
        """Return when all that waits now is done."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def stop(self) -> None:
        """Leave what waits: it was not confirmed, and comes again."""
        for task in self._tasks:
            task.cancel()
        await self.drained()
        self._waiting.clear()

    async def _work(self, room: int) -> None:
        line = self._waiting[room]
        while line:
            _, job = line[0]
            try:
                await job()
            except StoreError as error:
                log.warning("a message waits for the database", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except ParleyError as error:
                log.warning("a message was not taken", error=str(error))
            except Exception:
                log.exception("a message was not understood")
            line.popleft()
        del self._waiting[room]

"""The connection for commands, and whether Redis answers: while it does not, every command fails at once."""

import asyncio
import hashlib
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from storage.redis.settings import RedisSettings

FAULTS = (RedisError, OSError, TimeoutError)
Word = str | bytes | int
_AT_ONCE = 256
_MOST_WAITING = 10_000
_PROBE_LIFE = 60

log = structlog.stdlib.get_logger()


class Script:
    """A Lua script, sent by its hash once Redis knows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Call:
    """`answer` None: nobody waits for it."""

    words: tuple[Word, ...]
    answer: asyncio.Future[Any] | None

    def resolve(self, answer: object) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(answer)

    def refuse(self, error: Exception) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error)


class Link:
    """`up` from `begin` until the first fault; the listener begins it anew.

    Commands that come while others are under way go together in one round trip. Cancelling one costs no connection.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self.settings = settings
        self.up = False
        parts = urlsplit(settings.url)
        self._where = f"Redis at {parts.path if parts.scheme == 'unix' else parts.netloc.rpartition('@')[2]}"
        self._factory = ConnectionPool.from_url(
            settings.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,  # `asyncio.timeout` bounds everything; redis-py's own can swallow a cancellation
            socket_connect_timeout=settings.timeout_seconds,
        )
        self._connection: AbstractConnection | None = None
        self._calls: deque[_Call] = deque()
        self._work = asyncio.Event()
        self._warned = False
        self._owed: OrderedDict[str, Callable[[], Awaitable[object]]] = OrderedDict()

    def key(self, kind: str, subject: str) -> str:
        """A key's name. It names nobody: the subject stands in it as a hash."""
        return f"{self.settings.prefix}:{kind}:{hashlib.blake2b(subject.encode(), digest_size=16).hexdigest()}"

    async def connect(self) -> AbstractConnection:
        """A connection of one's own. Raises one of FAULTS."""
        connection: AbstractConnection = self._factory.make_connection()  # type: ignore[no-untyped-call] # it has none
        async with asyncio.timeout(self.settings.timeout_seconds):
            await connection.connect()  # type: ignore[no-untyped-call] # it has none
        return connection

    async def begin(self) -> None:
        """Redis can be reached: see whether it takes writes, then do what is owed. Raises one of FAULTS."""
        await self._disconnect()
        self._connection = connection = await self.connect()
        async with asyncio.timeout(self.settings.timeout_seconds):
            await connection.send_command("SET", f"{self.settings.prefix}:probe", b"", "EX", _PROBE_LIFE)
            await connection.read_response()
        self.up = True
        if self._warned:
            log.info("Redis answers again", redis=self._where)
        self._warned = False
        owed, self._owed = self._owed, OrderedDict()
        for name, action in owed.items():
            await self.surely(name, action)

    def fail(self, error: BaseException) -> None:
        self.up = False
        while self._calls:
            self._calls.popleft().refuse(self._absent(error))
        if not self._warned:
            log.warning("Redis does not answer; this replica goes on by itself", redis=self._where, error=str(error))
        self._warned = True

    async def do(self, *command: Word) -> Any:
        """Raises ConnectionError where Redis does not answer, or not with what was asked for."""
        if not self.up:
            raise self._absent()
        answer = asyncio.get_running_loop().create_future()
        self._send(_Call(command, answer))
        return await answer

    def tell(self, *command: Word) -> None:
        """Send it soon, if Redis answers, without waiting; where too much waits already it is dropped."""
        if self.up and len(self._calls) < _MOST_WAITING:
            self._send(_Call(command, None))

    async def run(self, script: Script, keys: Sequence[str], *arguments: Word) -> Any:
        """As `do`, for a script."""
        try:
            return await self.do("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await self.do("EVAL", script.text, len(keys), *keys, *arguments)

    async def surely(self, name: str, action: Callable[[], Awaitable[object]]) -> None:
        """Do it now, or as soon as Redis answers again. One action is owed by each `name`, the newest."""
        try:
            await action()
        except ConnectionError:
            self._owed[name] = action
            while len(self._owed) > _MOST_WAITING:
                self._owed.popitem(last=False)

    async def pump(self) -> None:
        """Send what waits, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._calls:
                await self._exchange([self._calls.popleft() for _ in range(min(len(self._calls), _AT_ONCE))])

    async def close(self) -> None:
        """Send what waits, as long as it takes no longer than a command may. Nothing follows."""
        if self.up and self._calls:
            await self._exchange(list(self._calls))
        self.up = False
        await self._disconnect()

    def _send(self, call: _Call) -> None:
        self._calls.append(call)
        self._work.set()

    async def _exchange(self, calls: Sequence[_Call]) -> None:
        connection = self._connection
        if connection is None:
            raise RuntimeError("a command without a connection")
        try:
            async with asyncio.timeout(self.settings.timeout_seconds):
                packed = connection.pack_commands([call.words for call in calls])
                await connection.send_packed_command(packed, check_health=False)
                for call in calls:
                    await self._receive(connection, call)
        except FAULTS as error:
            if connection is self._connection:
                self.fail(error)
            for call in calls:
                call.refuse(self._absent(error))

    async def _receive(self, connection: AbstractConnection, call: _Call) -> None:
        try:
            call.resolve(await connection.read_response())
        except NoScriptError as error:
            call.refuse(error)
        except ResponseError as error:
            call.refuse(self._absent(error))
            self.fail(error)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    def _absent(self, error: BaseException | None = None) -> ConnectionError:
        return ConnectionError(f"{self._where} does not answer" + (f": {error}" if error else ""))

"""One open event stream: live events, news from the database, heartbeats; closed by either side at any time."""

import asyncio
from contextlib import suppress

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from adapters.web.marks import Mark
from adapters.web.replay import Replay, Sent
from adapters.web.settings import WebSettings
from adapters.web.streams import Streams
from adapters.web.view import read_view
from adapters.web.wire import HEARTBEAT, frame
from bot.errors import CursorLost, StoreError
from bot.ports import Bus, Store
from bot.types import Conversation, LiveEvent

RECONNECT_MILLISECONDS = 1000

log = structlog.stdlib.get_logger()


class EventStream(Response):
    """Follows a conversation from where `mark` left off until its reader leaves or `close` is called.

    At most one live event waits here for a slow reader; the rest waits in the bus, which gives up on followers that
    fall too far behind. These get the text as the database has it.
    """

    def __init__(
        self,
        conversation: Conversation,
        *,
        mark: Mark | None,
        store: Store,
        bus: Bus,
        streams: Streams,
        settings: WebSettings,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.media_type = "text/event-stream"
        self.charset = "utf-8"
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._conversation = conversation
        self._after = mark.cursor if mark else None
        self._replay = Replay(mark)
        self._store = store
        self._bus = bus
        self._streams = streams
        self._settings = settings
        self._scope: asyncio.Timeout | None = None
        self._send: Send
        self._read_at = self._busy_at = 0.0
        self._waiting = False

    def close(self) -> None:
        if self._scope is not None and not self._scope.expired():
            with suppress(RuntimeError):  # it is ending by itself
                self._scope.reschedule(asyncio.get_running_loop().time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._send = send
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as self._scope:
                with self._streams.holding(self._conversation.key, self):
                    await self._write({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                    await self._write_body(f"retry: {RECONNECT_MILLISECONDS}\n\n".encode())
                    await self._run(receive)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, receive: Receive) -> None:
        news: asyncio.Queue[tuple[str, LiveEvent] | None] = asyncio.Queue(maxsize=1)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._until_reader_leaves(receive))
            group.create_task(self._while_allowed())
            group.create_task(self._listen(news))
            try:
                await self._tell(news)
            except StoreError as error:
                log.warning("stream closed, the database does not answer", error=str(error))
                await self._end()

    async def _until_reader_leaves(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.close()

    async def _while_allowed(self) -> None:
        """Close where the conversation was erased or its secret changed, on whichever replica."""
        while True:
            await asyncio.sleep(self._settings.revoke_seconds)
            with suppress(StoreError):
                found = await self._store.conversations.get(self._conversation.key)
                if found is None or found.secret_hash != self._conversation.secret_hash:
                    self.close()

    async def _listen(self, news: asyncio.Queue[tuple[str, LiveEvent] | None]) -> None:
        """Hand on live events; None stands for a new beginning: events before it may be missing."""
        after = self._after
        while True:
            try:
                async with self._bus.follow(self._conversation.key, after=after) as events:
                    if after is None:
                        await news.put(None)
                    async for event in events:
                        await news.put(event)
                await asyncio.sleep(self._settings.poll_seconds)
            except CursorLost:
                pass
            except ConnectionError as error:
                log.warning("live events are missing, the bus does not answer", error=str(error))
                await asyncio.sleep(self._settings.poll_seconds)
            after = None

    async def _tell(self, news: asyncio.Queue[tuple[str, LiveEvent] | None]) -> None:
        clock = asyncio.get_running_loop().time
        self._read_at = self._busy_at = heard_at = clock()
        while True:
            try:
                async with asyncio.timeout_at(min(heard_at + self._settings.heartbeat_seconds, self._next_read())):
                    event = await news.get()
            except TimeoutError:
                if clock() >= self._next_read():
                    await self._read()
                if clock() >= heard_at + self._settings.heartbeat_seconds:
                    await self._write_body(HEARTBEAT)
                    heard_at = clock()
                continue
            self._busy_at = heard_at = clock()
            if event is None:
                self._replay.lose()
                await self._read()
            else:
                await self._pass_on(*event)

    def _next_read(self) -> float:
        """When to look into the database: soon where the reader waits for what the bus does not bring."""
        if not self._replay.in_step:
            return self._read_at + self._settings.poll_seconds
        if self._replay.unfinished or self._waiting:
            return max(self._read_at, self._busy_at) + self._settings.poll_seconds
        return max(self._read_at, self._busy_at) + self._settings.heartbeat_seconds

    async def _pass_on(self, cursor: str, event: LiveEvent) -> None:
        sent = self._replay.live(cursor, event)
        if sent is None:
            await self._read()
            sent = self._replay.live(cursor, event, settled=True)
        await self._write_events(sent or [])

    async def _read(self) -> None:
        key, replay = self._conversation.key, self._replay
        view = await read_view(self._store, key, since=replay.since, told=replay.told)
        self._read_at = asyncio.get_running_loop().time()
        self._waiting = view.waiting
        await self._write_events(replay.catch_up(view))

    async def _write_events(self, sent: list[Sent]) -> None:
        if sent:
            await self._write_body(b"".join(frame(mark, event) for mark, event in sent))

    async def _write_body(self, body: bytes) -> None:
        await self._write({"type": "http.response.body", "body": body, "more_body": True})

    async def _write(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._settings.write_seconds):
                await self._send(message)
        except (TimeoutError, OSError):
            await self._end()

    async def _end(self) -> None:
        self.close()
        await asyncio.Event().wait()

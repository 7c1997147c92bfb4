"""A small server that speaks the web API from memory, so that a test decides over every event and fault."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.ports import Port

WEB = Path(__file__).parents[2] / "adapters" / "web"

Event = tuple[str, dict[str, Any]]
Answer = Callable[[str], Sequence[str]]

TITLES = {"en": "Larkenfold Support", "zh": "云雀小铺客服"}
GREETINGS = {
    "en": "Hi, and welcome to Larkenfold! What can I help you with — an order, a delivery, a return?",
    "zh": "您好，欢迎光临云雀小铺！订单、配送、退换货，有问题都可以问我。",
}
STARTERS = {
    "en": ["Return an item", "Delivery time and cost", "Warranty", "Opening hours"],
    "zh": ["我想退货", "配送时间和运费", "保修期多久", "营业时间"],
}
DISCLAIMERS = {
    "en": "Larkenfold is a made-up shop. AI answers can be wrong.",
    "zh": "云雀小铺是虚构的商店。AI 的回答可能有误。",
}


def card(name: str, locale: str) -> dict[str, Any]:
    language = "zh" if locale.startswith("zh") else "en"
    return {
        "name": name,
        "title": TITLES[language] if name == "support" else name.title(),
        "description": "Answers questions about orders, delivery, returns and opening hours.",
        "greeting": GREETINGS[language],
        "starters": [{"label": label, "prompt": f"{label}?"} for label in STARTERS[language]],
        "disclaimer": DISCLAIMERS[language],
        "rating_notice": "Ratings may train it." if name == "tutor" else None,
        "accent": {"support": "#0f766e", "tutor": "#1d4ed8", "health": "#be123c"}.get(name, "#6d28d9"),
        "languages": ["en", "zh-CN"],
    }


@dataclass
class Conversation:
    """`log` is the live buffer; `base` counts what a restart took from it."""

    id: str
    token: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    log: list[Event] = field(default_factory=list)
    base: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: dict[str, dict[str, Any]] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)
    ratings: dict[str, str] = field(default_factory=dict)

    def tell(self, event: str, data: dict[str, Any]) -> None:
        self.log.append((event, data))
        self.wake()

    def wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


@dataclass
class Fault:
    method: str
    end: str
    status: int
    detail: str
    after: bool

    def meets(self, request: Request) -> bool:
        return request.method == self.method and request.url.path.endswith(self.end)

    def response(self) -> Response:
        problem = {"title": "Refused", "status": self.status, "detail": self.detail}
        return JSONResponse(problem, self.status, media_type="application/problem+json")


class Fake:
    """`answer(question)` gives the pieces of the reply, `pause` the seconds between them.

    Each `seq` in `skip` is left out of one stream.
    With `hold` set, a reply waits after its third piece until the event is set.
    """

    def __init__(self) -> None:
        self.answer: Answer = lambda question: [f"You said: {question}"]
        self.sources: list[dict[str, str]] = []
        self.pause = 0.01
        self.hold: asyncio.Event | None = None
        self.faults: list[Fault] = []
        self.conversations: dict[str, Conversation] = {}
        self.requests: list[tuple[str, str]] = []
        self.identities: list[str] = []
        self.skip: set[int] = set()
        self.cuts = asyncio.Event()
        self.streams = 0
        self.most_streams = 0
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._port = Port()
        self.url = f"http://127.0.0.1:{self._port.number}"

    # ── its life ──

    async def start(self) -> None:
        config = uvicorn.Config(
            self._app(),
            host="127.0.0.1",
            port=self._port.number,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=0,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
            self._server = None

    async def lose_buffers(self) -> None:
        """What a crash does: running replies stop, live buffers are gone, the database stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for conversation in self.conversations.values():
            conversation.base += len(conversation.log) + 1
            conversation.log.clear()

    def cut(self) -> None:
        """Break every open stream."""
        self.cuts.set()
        self.cuts = asyncio.Event()
        for conversation in self.conversations.values():
            conversation.wake()

    def run_again(self) -> None:
        """Begin the next attempt of every unfinished turn."""
        for conversation in self.conversations.values():
            for turn, state in conversation.turns.items():
                if state["status"] == "running":
                    state["attempt"] += 1
                    self._spawn(self._reply(conversation, turn))

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def refuse(self, method: str, end: str, status: int, detail: str = "", *, after: bool = False) -> None:
        """Answer the next such request with `status`; `after`: only once the server has done what it asks for."""
        self.faults.append(Fault(method=method, end=end, status=status, detail=detail, after=after))

    # ── what it serves ──

    def _app(self) -> Starlette:
        api = "/api/v1"
        return Starlette(
            routes=[
                Route("/", lambda _: FileResponse(WEB / "templates" / "demo.html")),
                Route("/widget.js", lambda _: FileResponse(WEB / "static" / "widget.js")),
                Mount("/static", StaticFiles(directory=WEB / "static")),
                Route("/page/{name}", self._page),
                Route(f"{api}/personas", self._guarded(self._personas)),
                Route(f"{api}/conversations", self._guarded(self._open), methods=["POST"]),
                Route(f"{api}/conversations/{{id}}", self._guarded(self._erase), methods=["DELETE"]),
                Route(f"{api}/conversations/{{id}}/messages", self._guarded(self._messages), methods=["GET", "POST"]),
                Route(f"{api}/conversations/{{id}}/events", self._guarded(self._events)),
                Route(f"{api}/turns/{{id}}/stop", self._guarded(self._stop), methods=["POST"]),
                Route(f"{api}/turns/{{id}}/feedback", self._guarded(self._rate), methods=["POST"]),
            ],
            middleware=[
                Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]),
            ],
        )

    def _guarded(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            self.requests.append((request.method, request.url.path))
            fault = next((fault for fault in self.faults if fault.meets(request)), None)
            if fault is not None:
                self.faults.remove(fault)
                if fault.after:
                    await handler(request)
                return fault.response()
            try:
                return await handler(request)
            except PermissionError:
                problem = {"title": "Unauthorized", "status": 401, "detail": "the token opens no conversation"}
                return JSONResponse(problem, 401, media_type="application/problem+json")

        return guarded

    async def _page(self, request: Request) -> Response:
        html, headers = self.pages[request.path_params["name"]]
        return HTMLResponse(html, headers=headers)

    async def _personas(self, request: Request) -> Response:
        locale = request.query_params.get("locale", "en")
        return JSONResponse({"personas": [card(name, locale) for name in ("support", "tutor", "health")]})

    async def _open(self, request: Request) -> Response:
        body = await request.json()
        number = next(self._ids)
        conversation = Conversation(id=f"c{number:019d}", token=f"secret-{number}")
        self.conversations[conversation.id] = conversation
        if "identity" in body:
            self.identities.append(body["identity"])
        persona = card(body["persona"], body.get("locale") or "en")
        return JSONResponse({"id": conversation.id, "token": conversation.token, "persona": persona}, 201)

    def _of(self, request: Request) -> Conversation:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        for conversation in self.conversations.values():
            named = request.path_params["id"] in (conversation.id, *conversation.turns)
            if named and conversation.token == token:
                return conversation
        raise PermissionError

    async def _erase(self, request: Request) -> Response:
        del self.conversations[self._of(request).id]
        return Response(status_code=204)

    async def _messages(self, request: Request) -> Response:
        conversation = self._of(request)
        if request.method == "GET":
            before = request.query_params.get("before")
            found = self.told(conversation)
            if before:
                found = found[: next(n for n, message in enumerate(found) if message["id"] == before)]
            return JSONResponse({"messages": found[-int(request.query_params.get("limit", 50)) :]})
        body = await request.json()
        known = conversation.clients.get(body["client_id"])
        if known is None:
            turn = f"t{next(self._ids):019d}"
            conversation.clients[body["client_id"]] = turn
            conversation.turns[turn] = {"status": "running", "attempt": 1, "stop": False, "question": body["text"]}
            conversation.messages.append(self.message("user", body["text"], turn))
            self._spawn(self._reply(conversation, turn))
            return JSONResponse({"turn": turn, "duplicate": False}, 202)
        return JSONResponse({"turn": known, "duplicate": True}, 202)

    @staticmethod
    def told(conversation: Conversation) -> list[dict[str, Any]]:
        """The messages in the order of their turns; those a test put in come first."""
        order = list(conversation.turns)
        return sorted(conversation.messages, key=lambda m: order.index(m["turn"]) if m["turn"] in order else -1)

    def message(self, role: str, text: str, turn: str) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {"id": f"m{next(self._ids):019d}", "role": role, "text": text, "turn": turn, "at": now}

    async def _reply(self, conversation: Conversation, turn: str) -> None:
        async with conversation.one_at_a_time:
            await self._write(conversation, turn)

    async def _write(self, conversation: Conversation, turn: str) -> None:
        state = conversation.turns[turn]
        attempt = state["attempt"]
        conversation.tell("turn.started", {"turn": turn, "attempt": attempt})
        text = ""
        for seq, piece in enumerate(self.answer(state["question"]), start=1):
            await asyncio.sleep(self.pause)
            if self.hold is not None and seq > 3:
                await self.hold.wait()
            if state["stop"]:
                break
            text += piece
            conversation.tell("delta", {"turn": turn, "attempt": attempt, "seq": seq, "text": piece})
        state["status"] = "stopped" if state["stop"] else "done"
        message = self.message("assistant", text, turn)
        if self.sources:
            message["sources"] = self.sources
        conversation.messages.append(message)
        conversation.tell("turn.finished", {"turn": turn, "status": state["status"], "message": message})

    async def _events(self, request: Request) -> Response:
        conversation = self._of(request)
        after = request.query_params.get("after")

        async def body() -> AsyncIterator[str]:
            cut = self.cuts
            self.streams += 1
            self.most_streams = max(self.most_streams, self.streams)
            try:
                yield ": hello\n\n"
                at = self._begin(conversation, after)
                if after is not None and int(after) < conversation.base:
                    for frame in self._lost(conversation):
                        yield frame
                while not cut.is_set():
                    while at < len(conversation.log):
                        event, data = conversation.log[at]
                        at += 1
                        if data.get("seq") in self.skip:
                            self.skip.discard(data["seq"])
                        else:
                            yield _frame(conversation.base + at, event, data)
                    await conversation.news.wait()
            finally:
                self.streams -= 1

        return StreamingResponse(body(), media_type="text/event-stream")

    @staticmethod
    def _begin(conversation: Conversation, after: str | None) -> int:
        if after is not None:
            return max(0, int(after) - conversation.base)
        begun = [at for at, (event, _) in enumerate(conversation.log) if event == "turn.started"]
        return begun[-1] if begun else 0

    @staticmethod
    def _lost(conversation: Conversation) -> list[str]:
        frames = []
        for message in conversation.messages:
            if message["role"] == "assistant":
                data = {"turn": message["turn"], "status": "done", "message": message}
                frames.append(_frame(conversation.base, "turn.finished", data))
        return frames

    async def _stop(self, request: Request) -> Response:
        state = self._of(request).turns[request.path_params["id"]]
        state["stop"] = True
        if self.hold is not None:
            self.hold.set()
        return JSONResponse({"turn": request.path_params["id"], "status": "running"}, 202)

    async def _rate(self, request: Request) -> Response:
        self._of(request).ratings[request.path_params["id"]] = (await request.json())["rating"]
        return Response(status_code=204)


def _frame(cursor: int, event: str, data: dict[str, Any]) -> str:
    return f"id: {cursor}\nevent: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Fake]:
    fake = Fake()
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
        await fake.lose_buffers()

"""The other side of two made-up channels: it delivers what people write and shows what replicas post.

`nonce` is like Discord: a post with a key that was used before returns the first message. `stamp` is like Slack: every
post is a new message, which carries a stamp that can be looked up a little later. Lines of JSON go both ways.
"""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.crash.history import Sent, Shown, numbers

FLAVOURS = ("nonce", "stamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How unkind the platform is: shares of events sent twice, of answers lost, of requests refused for a while.

    `patience` is how long it waits for an acknowledgement, `lag` how long a post stays out of look-ups, in seconds.
    """

    twice: float = 0.3
    lost: float = 0.03
    busy: float = 0.02
    failing: float = 0.01
    patience: float = 0.7
    lag: float = 0.03
    again: tuple[float, ...] = ()


@dataclass(slots=True, kw_only=True)
class Post:
    message: str
    room: str
    turn: str
    text: str
    posted: float
    changed: float


@dataclass(eq=False, slots=True)
class _Replica:
    writer: asyncio.StreamWriter
    flavour: str

    def write(self, line: Mapping[str, Any]) -> None:
        if not self.writer.is_closing():
            self.writer.write(json.dumps(line).encode() + b"\n")


class Platform:
    def __init__(self, *, seed: int, weather: Weather) -> None:
        self.weather = weather
        self.port = 0
        self.acknowledged: dict[str, float] = {}
        self.asked: dict[str, Sent] = {}
        self.asked_at: dict[str, float] = {}
        self.posts: dict[str, Post] = {}
        self.early: list[str] = []
        self.losses = 0
        self.heard = 0
        self._random = random.Random(seed)
        self._replicas = defaultdict[str, list[_Replica]](list)
        self._arrived = asyncio.Condition()
        self._waiting: dict[str, asyncio.Event] = {}
        self._turns: dict[tuple[str, str], str] = {}
        self._answered: set[tuple[str, int]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for replica in [replica for replicas in self._replicas.values() for replica in replicas]:
                replica.writer.close()
            await server.wait_closed()

    async def say(self, sent: Sent, *, flavour: str, aside: str = "") -> None:
        """Deliver an event until somebody acknowledges it; some twice, also to two replicas."""
        self.asked[sent.event] = sent
        self.asked_at[sent.event] = asyncio.get_running_loop().time()
        acknowledged = self._waiting[sent.event] = asyncio.Event()
        line = {"event": sent.event, "room": sent.room, "text": f"question #{sent.number}{aside}"}
        for delay in self.weather.again:
            self._send_again(line, flavour, delay)
        while not acknowledged.is_set():
            replica = await self._any(flavour)
            replica.write(line)
            if self._random.random() < self.weather.twice:
                self._send_again(line, flavour, self._random.uniform(0, 0.1))
            with suppress(TimeoutError):
                async with asyncio.timeout(self.weather.patience):
                    await acknowledged.wait()

    def answered(self, room: str, number: int) -> bool:
        """Whether somebody began to answer this question."""
        return (room, number) in self._answered

    def shown(self) -> tuple[Shown, ...]:
        return tuple(Shown(message=p.message, room=p.room, turn=p.turn, text=p.text) for p in self.posts.values())

    def latencies(self) -> list[float]:
        """Seconds from each question to the last change of its answer, sorted."""
        answered = {(post.room, number): post.changed for post in self.posts.values() for number in numbers(post.text)}
        return sorted(
            answered[sent.room, sent.number] - self.asked_at[sent.event]
            for sent in self.asked.values()
            if (sent.room, sent.number) in answered
        )

    def acknowledgements(self) -> list[float]:
        """Seconds from each event to its acknowledgement, sorted."""
        return sorted(at - self.asked_at[event] for event, at in self.acknowledged.items())

    def _send_again(self, line: Mapping[str, Any], flavour: str, delay: float) -> None:
        def send() -> None:
            if replicas := self._replicas[flavour]:
                self._random.choice(replicas).write(line)

        asyncio.get_running_loop().call_later(delay, send)

    async def _any(self, flavour: str) -> _Replica:
        async with self._arrived:
            await self._arrived.wait_for(lambda: self._replicas[flavour])
        return self._random.choice(self._replicas[flavour])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = json.loads(await reader.readline() or b"{}")
        if not hello:
            writer.close()
            return
        replica = _Replica(writer, hello["flavour"])
        async with self._arrived:
            self._replicas[replica.flavour].append(replica)
            self._arrived.notify_all()
        try:
            while line := await reader.readline():
                self._hear(replica, json.loads(line))
        except (ConnectionError, ValueError):  # cut off in the middle of a line
            pass
        finally:
            self._replicas[replica.flavour].remove(replica)
            writer.close()

    def _hear(self, replica: _Replica, line: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        self.heard += 1
        if event := line.get("ack"):
            self.acknowledged.setdefault(event, now)
            if event in self._waiting:
                self._waiting[event].set()
            return
        if what := line.get("early"):
            self.early.append(what)
            return
        answer = {"id": line["id"], **self._answer(replica, line, now)}
        if answer["status"] == 200 and self._random.random() < self.weather.lost:
            self.losses += 1
            return
        asyncio.get_running_loop().call_later(self._random.uniform(0, 0.003), replica.write, answer)

    def _answer(self, replica: _Replica, line: dict[str, Any], now: float) -> dict[str, Any]:
        """What is asked for takes place at once, so that requests of one connection keep their order."""
        if line["op"] == "find":
            return {"status": 200, "message": self._found(line["turn"], now)}
        chance = self._random.random()
        if chance < self.weather.busy:
            return {"status": 429, "retry_after": self._random.uniform(0.05, 0.2)}
        if chance < self.weather.busy + self.weather.failing:
            return {"status": 500}
        if line["op"] == "post":
            post = self._posted(replica.flavour, line, now)
        else:
            post = self.posts[line["message"]]
            post.text, post.changed = line["text"], now
        self._answered |= {(post.room, number) for number in numbers(post.text)}
        return {"status": 200, "message": post.message, "text": post.text}

    def _posted(self, flavour: str, line: dict[str, Any], now: float) -> Post:
        key = line.get("nonce")
        known = self._turns.get((flavour, key)) if key else None
        if known is not None:
            return self.posts[known]
        message = f"m{len(self.posts)}"
        turn = line.get("nonce") or line.get("stamp") or line["turn"]
        self.posts[message] = Post(
            message=message, room=line["room"], turn=turn, text=line["text"], posted=now, changed=now
        )
        self._turns.setdefault((flavour, turn), message)
        return self.posts[message]

    def _found(self, turn: str, now: float) -> str | None:
        message = self._turns.get(("stamp", turn))
        return message if message and self.posts[message].posted <= now - self.weather.lag else None

"""Starts Parley as a user does, as a process of its own, with a scripted engine from a package outside the tree."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import httpx

from tests.commands import PARLEY, Process, start
from tests.ports import Port

__all__ = ["PACKAGE", "PARLEY", "PERSONA", "Address", "Client", "Server", "outside_package", "running"]

PACKAGE = """
from collections import deque
from contextlib import asynccontextmanager
from pydantic import BaseModel
from bot.ports import Plugin
from bot.testing import ScriptedEngine

class SlowSettings(BaseModel):
    model: str = ""
    answer: str = "ok"
    delay: float = 0.0

@asynccontextmanager
async def open_slow(settings):
    def say(prompt):
        said = settings.answer.replace("{question}", prompt.messages[-1].text)
        return said.replace("{model}", engine.model)

    engine = ScriptedEngine(say, delay=settings.delay)
    engine.model = settings.model or engine.model
    engine.prompts = deque(maxlen=100)
    yield engine

plugin = Plugin(settings=SlowSettings, open=open_slow)
"""
PERSONA = """\
schema: parley.persona/v1
name: free
title: Free
description: Says what its engine says.
languages: [en]
instructions: Answer.
"""


def outside_package(folder: Path, *, group: str, name: str, source: str) -> None:
    """Write an installed third-party package with one plugin, as pip would lay it out."""
    folder.mkdir(exist_ok=True)
    (folder / f"parley_{name}.py").write_text(source)
    info = folder / f"parley_{name}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: parley-{name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = parley_{name}:plugin\n")


class Server:
    """A `parley run` in a folder of its own. `start` after `kill` is the same Parley again, on the same port.

    `{question}` in the answer stands for the question, `{model}` for the model that answers. `real` is as in
    tests.cli.terminal.
    """

    def __init__(self, folder: Path, *, answer: str, delay: float, real: bool = False) -> None:
        self.folder = folder
        self._real = real
        outside_package(folder / "packages", group="parley.engines", name="slow", source=PACKAGE)
        (folder / "personas").mkdir()
        (folder / "personas" / "free.yaml").write_text(PERSONA)
        self.settings: dict[str, Any] = {
            "engine": {"use": "slow", "answer": answer, "delay": delay},
            "channels": {"web": {"personas": {"default": "free"}}},
        }
        self._port = Port()
        self.port = self._port.number
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> dict[str, str]:
        """Write the settings; the environment in which Parley finds the engine."""
        (self.folder / "parley.yaml").write_text(json.dumps(self.settings))
        path = [str(self.folder / "packages"), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}

    async def start(self) -> None:
        environment = self.prepare()
        with (self.folder / "stderr.log").open("ab") as log:
            self.process = await start(
                ("run", "--port", str(self.port)),
                cwd=self.folder,
                environment=environment,
                stderr=log,
                real=self._real,
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(240):
            while line := (await self.process.stdout.readline()).decode():
                if "ready" in line:
                    return
        raise AssertionError(f"parley run ended: {(self.folder / 'stderr.log').read_text()}")

    async def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(30):
            assert self.process.stdout is not None
            await self.process.stdout.read()
            await self.process.wait()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def running(folder: Path, *, answer: str, delay: float, **settings: Any) -> AsyncIterator[Server]:
    """`settings` are further sections of parley.yaml."""
    server = Server(folder, answer=answer, delay=delay)
    server.settings |= settings
    await server.start()
    try:
        yield server
    finally:
        await server.end(signal.SIGKILL)


class Address(Protocol):
    @property
    def url(self) -> str: ...


class Client:
    """A browser's view of one conversation: what it shows, by the events it got, over any number of connections."""

    def __init__(self, server: Address) -> None:
        self.server = server
        self.http = httpx.AsyncClient(timeout=20)
        self.conversation = ""
        self.cursor: str | None = None
        self.shown: dict[str, str] = {}
        self.attempts: dict[str, int] = {}
        self.finished: dict[str, dict[str, Any]] = {}

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def open(self, persona: str = "free") -> None:
        answer = await self.http.post(f"{self.server.url}/api/v1/conversations", json={"persona": persona})
        assert answer.status_code == 201, answer.text
        self.conversation = answer.json()["id"]
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    @property
    def path(self) -> str:
        return f"{self.server.url}/api/v1/conversations/{self.conversation}"

    async def say(self, text: str, *, client_id: str) -> dict[str, Any]:
        answer = await self.http.post(f"{self.path}/messages", json={"client_id": client_id, "text": text})
        assert answer.status_code == 202, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def messages(self, *, before: str | None = None) -> list[dict[str, Any]]:
        query = {"before": before} if before else {}
        answer = await self.http.get(f"{self.path}/messages", params={"limit": 100, **query})
        assert answer.status_code == 200, answer.text
        result: list[dict[str, Any]] = answer.json()["messages"]
        return result

    async def follow(self) -> AsyncGenerator[str, None]:
        """Apply events from where the last connection ended; yields each event's name. Ends when the stream does."""
        query = {"after": self.cursor} if self.cursor else {}
        event = ""
        async with self.http.stream("GET", f"{self.path}/events", params=query) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    event = line[6:].strip()
                elif line.startswith("id:"):
                    self.cursor = line[3:].strip()
                elif line.startswith("data:"):
                    self._apply(event, json.loads(line[5:]))
                    yield event

    def _apply(self, event: str, data: dict[str, Any]) -> None:
        turn = data["turn"]
        self.attempts[turn] = data.get("attempt", self.attempts.get(turn, 0))
        if event == "delta":
            self.shown[turn] = self.shown.get(turn, "") + data["text"]
        elif event == "turn.replaced":
            self.shown[turn] = data["text"]
        elif event == "turn.finished":
            self.shown[turn] = data["message"]["text"]
            self.finished[turn] = data

    async def until_finished(self, turn: str) -> None:
        """Follow, reconnecting whenever the connection breaks, until the turn is finished."""
        async with asyncio.timeout(45):
            while turn not in self.finished:
                try:
                    async with aclosing(self.follow()) as events:
                        async for _ in events:
                            if turn in self.finished:
                                return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

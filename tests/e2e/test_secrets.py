"""What people say and what opens doors is never in logs or metrics, whatever goes wrong."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.terminal import parley
from tests.e2e.server import Client, Server, running
from tests.postgres_server import PostgresServer

SAID = "canary-said"
PASSWORD = "canary-password"
SECRET = "canary-secret-" + "x" * 32

FAULTY = """
from contextlib import asynccontextmanager
from pydantic import BaseModel
from bot.errors import EngineDied
from bot.ports import Plugin
from bot.testing import ScriptedEngine

class Settings(BaseModel):
    model: str = ""
    answer: str = ""
    delay: float = 0.0

def script(prompt):
    text = prompt.messages[-1].text
    if "bug" in text:
        return ValueError(f"cannot say {text}")
    return EngineDied("the worker ended") if "poison" in text else f"you said {text}"

@asynccontextmanager
async def open_faulty(settings):
    yield ScriptedEngine(script)

plugin = Plugin(settings=Settings, open=open_faulty)
"""


@asynccontextmanager
async def faulty(folder: Path) -> AsyncIterator[Server]:
    """A server whose engine fails on request, with everything logged."""
    async with running(folder, answer="", delay=0) as server:
        await server.end(signal.SIGTERM)
        (folder / "packages" / "parley_slow.py").write_text(FAULTY)
        server.settings["log"] = {"level": "debug"}
        server.settings["channels"]["web"] |= {"identity_secret": SECRET, "identity_audience": "shop"}
        await server.start()
        yield server


async def misuse(server: Server, client: Client) -> str:
    """Talk, and do everything wrong that a caller can; the token."""
    token = client.http.headers["Authorization"].removeprefix("Bearer ")
    for text in ("hello", "bug", "poison", "!memory", "my order number is"):
        turn = (await client.say(f"{SAID} {text}", client_id=text.strip("!").replace(" ", "")))["turn"]
        await client.until_finished(turn)
    rated = await client.http.post(f"{server.url}/api/v1/turns/{turn}/feedback", json={"rating": "up", "comment": SAID})
    assert rated.status_code < 300, rated.text
    async with httpx.AsyncClient() as stranger:
        for headers in ({"Authorization": f"Bearer {token}x"}, {"Authorization": f"Bearer {SAID}"}, {}):
            await stranger.get(f"{client.path}/messages", headers=headers)
        await stranger.post(
            f"{client.path}/messages", content=f'{{"text": "{SAID}', headers={"Content-Type": "application/json"}
        )
        await stranger.post(f"{server.url}/api/v1/conversations", json={"persona": SAID, "identity": SAID})
        await stranger.get(f"{server.url}/{SAID}?token={token}", headers={"Origin": f"https://{SAID}"})
    return token


async def test_a_turn_its_failures_and_bad_requests_leave_no_word_in_logs_or_metrics(tmp_path: Path) -> None:
    async with faulty(tmp_path) as server, Client(server) as client:
        token = await misuse(server, client)
        metrics = (await client.http.get(f"{server.url}/metrics")).text
        conversation = client.conversation
    log = (tmp_path / "stderr.log").read_text()
    assert "turn finished" in log
    assert "ValueError" in log
    for needle in (SAID, token, SECRET, conversation):
        assert log.count(needle) == 0, [line for line in log.splitlines() if needle in line]
        assert needle not in metrics


async def test_the_password_of_a_database_that_goes_away_is_in_no_line(tmp_path: Path) -> None:
    with PostgresServer() as postgres, postgres.database() as name:
        url = f"postgresql+psycopg://parley:{PASSWORD}@127.0.0.1:{postgres.port}/{name}"
        async with running(tmp_path, answer="ok", delay=0) as server:
            await server.end(signal.SIGTERM)
            server.settings |= {"log": {"level": "debug"}, "database_url": url}
            await server.start()
            async with Client(server) as client:
                turn = (await client.say(SAID, client_id="c1"))["turn"]
                await client.until_finished(turn)
                postgres.stop("immediate")
                answer = await client.http.post(f"{client.path}/messages", json={"client_id": "c2", "text": SAID})
                assert answer.status_code == 503
                await asyncio.sleep(1.5)
                postgres.start()
        postgres.stop("immediate")
        failed = await asyncio.to_thread(parley, "ask", SAID, cwd=tmp_path)
        doctor = await asyncio.to_thread(parley, "doctor", cwd=tmp_path)
        postgres.start()
    log = (tmp_path / "stderr.log").read_text()
    assert "PostgreSQL" in log
    assert failed.code == 1
    assert doctor.code == 1
    for text in (log, failed.out, failed.err, doctor.out, doctor.err, answer.text):
        assert PASSWORD not in text
    assert SAID not in log


@pytest.mark.parametrize("url", [f"postgresql://u:{PASSWORD}@", f"mysql://u:{PASSWORD}@h/d", f"://u:{PASSWORD}@h"])
def test_a_database_url_that_is_no_use_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    result = parley("ask", "Hi", cwd=tmp_path, environment={"DATABASE_URL": url})
    assert result.code == 1
    assert PASSWORD not in result.out + result.err

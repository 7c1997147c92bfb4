"""`parley model` beside running servers: the next turn comes from the chosen model, without a restart."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from tests.e2e.server import PARLEY, Client, Server, running
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

Parley = Callable[..., Awaitable[str]]
ANSWER = "{model} says " + " ".join(f"word{n}" for n in range(20))


@pytest.fixture
def parley(monkeypatch: pytest.MonkeyPatch) -> Parley:
    """What a command prints, run beside a server, but within this process: its start takes longer than its work."""
    monkeypatch.setattr("bot.cli.logs.configure", lambda *_, **__: None)  # it is for good, and for a whole process

    async def run(server: Server, *arguments: str) -> str:
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(server.folder / "packages"))
            patch.chdir(server.folder)
            result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
        assert result.exit_code == 0, result.output
        return result.output

    return run


async def ask(server: Server, question: str) -> str:
    """What `parley ask` prints beside a server. A process of its own: it takes signals, for which it needs one."""
    process = await asyncio.create_subprocess_exec(
        *(PARLEY, "ask", "-p", "free", question),
        cwd=server.folder,
        env=server.prepare(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (out + err).decode()
    return out.decode()


async def said(client: Client, text: str) -> str:
    turn = (await client.say(text, client_id=text.replace(" ", "-")))["turn"]
    await client.until_finished(turn)
    return client.shown[turn].partition(" ")[0]


async def until_said(client: Client, name: str) -> None:
    async with asyncio.timeout(30):
        number = 0
        while await said(client, f"{name} {number}") != name:
            number += 1
            await asyncio.sleep(0.1)


async def test_the_model_of_a_running_parley_on_sqlite_is_exchanged_and_brought_back(
    tmp_path: Path, parley: Parley
) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.05) as server, Client(server) as client:
        early = (await client.say("early", client_id="early"))["turn"]
        assert "settings" in await parley(server, "model", "show")
        await parley(server, "model", "use", "tuned", "--force")
        await until_said(client, "tuned")
        [first] = [m["text"] for m in await client.messages() if (m["turn"], m["role"]) == (early, "assistant")]
        assert first == ANSWER.replace("{model}", "scripted")
        assert (await parley(server, "model", "list")).startswith("*")
        assert (await ask(server, "beside it")).startswith("tuned says")
        await server.end(signal.SIGTERM)
        await server.start()
        assert await said(client, "after a restart") == "tuned"
        await parley(server, "model", "rollback")
        await until_said(client, "scripted")
    assert "Traceback" not in (tmp_path / "stderr.log").read_text()


@pytest.fixture
async def replicas(
    tmp_path: Path, postgres: PostgresServer, redis_server: RedisServer
) -> AsyncIterator[tuple[Server, Server]]:
    def replica(name: str, database: str) -> Server:
        (tmp_path / name).mkdir()
        server = Server(tmp_path / name, answer=ANSWER, delay=0.0)
        server.settings |= {"database_url": database, "bus": {"use": "redis", "url": redis_server.url}}
        return server

    with postgres.database() as name:
        one, other = (replica(folder, postgres.url(name)) for folder in ("a", "b"))
        try:
            await asyncio.gather(one.start(), other.start())
            yield one, other
        finally:
            for server in (one, other):
                await server.end(signal.SIGKILL)


async def test_two_replicas_go_over_and_back_together(replicas: tuple[Server, Server], parley: Parley) -> None:
    for arguments, name in ((("use", "tuned", "--force"), "tuned"), (("rollback",), "scripted")):
        await parley(replicas[0], "model", *arguments)
        async with asyncio.timeout(30):
            for server in replicas:
                async with Client(server) as client:
                    while (await client.http.get(f"{server.url}/api/v1/personas")).json()["model"] != name:
                        await asyncio.sleep(0.1)
        async with Client(replicas[1]) as client:
            assert [await said(client, f"{name} {n}") for n in range(2)] == [name] * 2

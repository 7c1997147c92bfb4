"""A command as a fork is what the real one is: the tests that use forks rely on it."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import commands
from tests.e2e.server import Server


def run(
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str],
    real: bool = False,
    given: str = "",
    timeout: float = 90,
) -> tuple[int, str, str]:
    told = {**os.environ, **environment}
    assert real or commands.forkable(told)
    done = commands.run(arguments, cwd=cwd, given=given, environment=told, timeout=timeout, real=real)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("--version",), {}),
        (("sing",), {}),
        (("check", "."), {}),
        (("db", "current"), {"DATABASE_URL": "sqlite+aiosqlite:///no/such/folder/parley.db"}),
        (("jobs",), {"TZ": "Asia/Shanghai"}),
    ],
)
def test_it_says_the_same_with_the_same_code(
    arguments: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("schema: parley.persona/v1\nname: 你好\n", encoding="utf-8")
    real, fork = (run(*arguments, cwd=tmp_path, real=real, environment=environment) for real in (True, False))
    assert fork == real


@pytest.mark.parametrize("real", [True, False], ids=["real", "fork"])
def test_it_finds_packages_on_its_own_path_and_reads_its_input(real: bool, tmp_path: Path) -> None:
    server = Server(tmp_path, answer="you said {question}", delay=0)
    path = server.prepare()["PYTHONPATH"]
    asked = run("ask", "-p", "free", cwd=tmp_path, given="你好\n", real=real, environment={"PYTHONPATH": path})
    assert asked == (0, "you said 你好\n", "")
    assert run("ask", "-p", "free", "hello", cwd=tmp_path, real=real, environment={})[0] == 1


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9), (signal.SIGQUIT, -3)]
)
async def test_signals_reach_it(number: signal.Signals, code: int, tmp_path: Path) -> None:
    server = Server(tmp_path, answer="", delay=0)
    await server.start()
    assert isinstance(server.process, commands.ForkedProcess)
    assert await server.end(number) == code


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    server = Server(tmp_path, answer="", delay=0)
    with pytest.raises((TimeoutError, subprocess.TimeoutExpired)):
        run("run", "--port", str(server.port), cwd=tmp_path, timeout=4, environment=server.prepare())
    assert run("stats", cwd=tmp_path, environment={})[0] == 0, "it still holds the database"


async def test_what_is_forgotten_is_killed(tmp_path: Path) -> None:
    server = Server(tmp_path, answer="", delay=0)
    await server.start()
    assert isinstance(server.process, commands.ForkedProcess)
    server.process.conversation.close()
    async with asyncio.timeout(30):
        while _lives(server.process.pid):
            await asyncio.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("name", ["PYTHONWARNINGS", "PYTHONUTF8", "LC_ALL", "PYTHONPROFILEIMPORTTIME"])
def test_what_python_reads_as_it_starts_needs_the_real_command(name: str) -> None:
    assert not commands.forkable({**os.environ, name: "1"})

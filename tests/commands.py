"""Starts the `parley` command. In tests most are forks of one process that has the imports behind it, see fork_server.

Others that use this (benchmarks, the soak) measure the real command, so forks are for those who ask: `forking`.
"""

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol

from tests.fork_server import NUMBER

PARLEY = Path(sys.executable).parent / "parley"
SERVER = Path(__file__).with_name("fork_server.py")

forking = False
_one_at_a_time = threading.Lock()


class Process(Protocol):
    """What tests use of asyncio.subprocess.Process."""

    stdout: asyncio.StreamReader | None

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, signal: int, /) -> None: ...
    async def wait(self) -> int: ...


def forkable(environment: Mapping[str, str]) -> bool:
    """Whether a fork can be what a command with this environment would be: some of it is read as Python starts."""
    names = {name for name in (*environment, *os.environ) if name.startswith(("PYTHON", "LANG", "LC_", "OPENBLAS_"))}
    return forking and all(environment.get(name) == os.environ.get(name) for name in names - {"PYTHONPATH"})


def run(arguments: Sequence[str], *, cwd: Path, given: str, environment: Mapping[str, str], timeout: float,
        real: bool = False) -> "subprocess.CompletedProcess[str]":  # fmt: skip
    """As subprocess.run does, with pipes."""
    if real or not forkable(environment):
        return subprocess.run(
            [PARLEY, *arguments], cwd=cwd, env=environment, input=given, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
    (stdin, giving), (out, stdout), (err, stderr) = os.pipe(), os.pipe(), os.pipe()
    fork = _Fork(arguments, cwd=cwd, environment=environment, files=(stdin, stdout, stderr))
    with fork.conversation, ThreadPoolExecutor(3) as pool:
        pool.submit(_give, os.fdopen(giving, "wb"), given.encode())
        said = [pool.submit(_take, os.fdopen(file, "rb")) for file in (out, err)]
        fork.conversation.settimeout(timeout)
        try:
            code = fork.ended(fork.conversation.recv(NUMBER.size))
        except TimeoutError:
            fork.send_signal(signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(arguments, code, *(one.result() for one in said))


def _give(file: BinaryIO, text: bytes) -> None:
    try:
        with file:
            file.write(text)
    except BrokenPipeError:
        pass


def _take(file: BinaryIO) -> str:
    with file:
        return file.read().decode()


async def start(arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stderr: BinaryIO,
                real: bool = False) -> Process:  # fmt: skip
    """A command whose standard output is a pipe."""
    if real or not forkable(environment):
        return await asyncio.create_subprocess_exec(
            PARLEY, *arguments, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=stderr
        )
    out, stdout = os.pipe()
    files = (os.open(os.devnull, os.O_RDONLY), stdout, os.dup(stderr.fileno()))
    fork = ForkedProcess(arguments, cwd=cwd, environment=environment, files=files)
    fork.conversation.setblocking(False)
    fork.stdout = reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(out, "rb")
    )
    return fork


class _Fork:
    """A command as a fork. Its exit code is a subprocess's: the negative number where a signal ended it."""

    def __init__(
        self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], files: Sequence[int]
    ) -> None:
        """`files` become its standard streams, and are closed here."""
        orders = {"arguments": [str(PARLEY), *arguments], "folder": str(cwd), "environment": dict(environment)}
        self.conversation, other = socket.socketpair()
        try:
            self.conversation.sendall(json.dumps(orders).encode() + b"\n")
            with _one_at_a_time:
                socket.send_fds(_server(), [b"!"], [other.fileno(), *files])
        finally:
            other.close()
            for file in files:
                os.close(file)
        self.pid: int = self.ended(self.conversation.recv(NUMBER.size))
        self.returncode: int | None = None

    def ended(self, told: bytes) -> int:
        assert len(told) == NUMBER.size, "the process that forks commands is gone"
        return int(NUMBER.unpack(told)[0])

    def send_signal(self, signal: int, /) -> None:
        if self.returncode is None:
            self.conversation.send(bytes([signal]))


class ForkedProcess(_Fork):
    def __init__(
        self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], files: Sequence[int]
    ) -> None:
        super().__init__(arguments, cwd=cwd, environment=environment, files=files)
        self.stdout: asyncio.StreamReader | None = None
        self._waiting = asyncio.Lock()

    async def wait(self) -> int:
        async with self._waiting:
            if self.returncode is None:
                told = await asyncio.get_running_loop().sock_recv(self.conversation, NUMBER.size)
                self.returncode = self.ended(told)
                self.conversation.close()
        return self.returncode


@cache
def _server() -> socket.socket:
    """It lives as long as this process: the end of its input is its end, and that of every command it runs."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, SERVER, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads would not be in a fork
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    if not ours.recv(1):
        raise RuntimeError(f"the process that forks commands did not start:\n{process.communicate()[1].decode()}")

    def end() -> None:
        ours.close()
        process.communicate()

    atexit.register(end)
    return ours

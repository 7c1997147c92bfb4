"""uvicorn inside our task group: our socket, our shutdown, none of its signal handlers."""

import asyncio
import errno
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bot.errors import ConfigError

BACKLOG = 2048
GRACE_SECONDS = 3


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError in one line where that is not possible."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        bound = socket.create_server(
            (str(address[0]), port), family=socket.AddressFamily(family), backlog=BACKLOG, reuse_port=False
        )
    except socket.gaierror as error:
        raise ConfigError(f"host {host!r} is not known on this machine; 127.0.0.1 serves this machine only") from error
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} port {port}: {_advice(error, port)}") from error
    bound.setblocking(False)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # for its connections: a word shall not wait
    return bound


def _advice(error: OSError, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"another program uses it; end that one or choose another port: --port {port + 1}"
        case errno.EACCES:
            return "ports below 1024 need more rights; choose another one: --port 8080"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; 127.0.0.1 serves this machine, 0.0.0.0 every network"
        case _:
            return str(error.strerror)


def url_of(bound: socket.socket) -> str:
    """Where a person on this machine opens what is served on the socket."""
    host, port = bound.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host) or (f"[{host}]" if ":" in host else host)  # noqa: S104 # shown, not bound
    return f"http://{name}:{port}"


async def serve(app: ASGIApp, bound: socket.socket, *, before_exit: Callable[[], None]) -> None:
    """Serve until cancelled; then call `before_exit`, let answers in flight end, and return within seconds."""
    config = uvicorn.Config(
        app,
        http="auto",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(sockets=[bound]), name="uvicorn")
        try:
            await asyncio.wait({serving})
        finally:
            server.should_exit = True
            before_exit()
            await asyncio.wait({serving}, timeout=GRACE_SECONDS + 1)

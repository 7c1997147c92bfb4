"""What nginx does with the settings of docker/nginx.conf, seen from both sides of it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from adapters.web.settings import WebSettings
from tests.e2e.proxy import SETTINGS, command, proxy, write_settings
from tests.ports import Port

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@asynccontextmanager
async def upstream(answer: Answer, *, port: int = 0) -> AsyncIterator[int]:
    """A server that hands the head of each request to `answer`. Yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(length or 0))
        await answer(head, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def ok(_: str, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def test_nginx_accepts_the_settings(tmp_path: Path) -> None:
    write_settings(tmp_path, port=8080, replicas=[1, 2])
    result = subprocess.run([*command(tmp_path), "-t"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


async def test_a_replica_sees_the_host_the_scheme_and_the_address_of_the_reader(tmp_path: Path) -> None:
    heads: list[str] = []

    async def note(head: str, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        await ok(head, writer)

    async with upstream(note) as port, proxy(tmp_path, replicas=[port]) as front, httpx.AsyncClient() as http:
        await http.get(front.url, headers={"Host": "chat.example:8443"})
        await http.get(front.url, headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"})
    plain, behind_tls = heads
    assert "\r\nhost: chat.example:8443\r\n" in plain
    assert "\r\nx-forwarded-proto: http\r\n" in plain
    assert "\r\nx-forwarded-for: 127.0.0.1\r\n" in plain
    assert "\r\nx-forwarded-proto: https\r\n" in behind_tls
    assert "\r\nx-forwarded-for: 192.0.2.7, 127.0.0.1\r\n" in behind_tls


async def test_a_stream_passes_at_once_whatever_the_replica_says_of_buffering(tmp_path: Path) -> None:
    read = asyncio.Event()

    async def stream(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: first\n\n")
        await writer.drain()
        await read.wait()
        writer.write(b"data: second\n\n")

    async with (
        asyncio.timeout(30),
        upstream(stream) as port,
        proxy(tmp_path, replicas=[port]) as front,
        httpx.AsyncClient() as http,
        http.stream("GET", front.url) as answer,
    ):
        parts = answer.aiter_bytes()
        assert await anext(parts) == b"data: first\n\n"
        read.set()
        assert await anext(parts) == b"data: second\n\n"


def test_streams_outlive_the_longest_pause_between_two_heartbeats() -> None:
    limits = WebSettings.model_fields["heartbeat_seconds"].metadata
    longest = next(limit.le for limit in limits if hasattr(limit, "le"))
    timeout = SETTINGS.read_text().partition("proxy_read_timeout ")[2].partition("s;")[0]
    assert int(timeout) > longest


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_cut_by_a_dying_replica_is_answered_by_another(tmp_path: Path, method: str) -> None:
    cut = 0

    async def die(_: str, __: asyncio.StreamWriter) -> None:
        nonlocal cut
        cut += 1

    async with (
        upstream(die) as dying,
        upstream(ok) as well,
        proxy(tmp_path, replicas=[dying, well]) as front,
        httpx.AsyncClient() as http,
    ):
        answers = [(await http.request(method, front.url, content=b"{}")).text for _ in range(3)]
    assert answers == ["ok"] * 3
    assert cut == 1, "a replica that died is left alone for a while"


async def test_a_replica_that_comes_back_gets_its_share_again(tmp_path: Path) -> None:
    back = asyncio.Event()

    async def noted(head: str, writer: asyncio.StreamWriter) -> None:
        back.set()
        await ok(head, writer)

    port = Port()
    async with (
        upstream(ok) as well,
        proxy(tmp_path, replicas=[port.number, well]) as front,
        httpx.AsyncClient() as http,
    ):
        assert [(await http.get(front.url)).text for _ in range(2)] == ["ok"] * 2
        async with upstream(noted, port=port.number), asyncio.timeout(30):
            while not back.is_set():
                assert (await http.get(front.url)).text == "ok"
                await asyncio.sleep(0.1)


async def test_bodies_that_parley_itself_refuses_reach_it_and_the_figures_of_a_replica_stay_inside(
    tmp_path: Path,
) -> None:
    async with upstream(ok) as port, proxy(tmp_path, replicas=[port]) as front, httpx.AsyncClient() as http:
        assert (await http.post(front.url, content=b"x" * 100_000)).status_code == 200
        assert (await http.post(front.url, content=b"x" * 1_000_000)).status_code == 413
        assert (await http.get(f"{front.url}/metrics")).status_code == 403

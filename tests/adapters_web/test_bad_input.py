"""Everything wrong is answered with a problem, and nothing of it is stored."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bot.errors import StoreUnavailable
from bot.types import Accepted, Inbound, new_id
from tests.adapters_web.house import NEW, Served, Visitor, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("web"), dispatch=False) as served:
        yield served


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = dict(answer.json())
    assert told["status"] == status
    assert told["detail"]
    return told


async def send(served: Served, visitor: Visitor, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{NEW}/{visitor.id}/messages"
    typed = {"Content-Type": "application/json", **visitor.auth, **headers}
    return await served.http.post(url, content=content, headers=typed)


async def test_unknown_personas_and_routes_are_404_and_wrong_methods_405(served: Served) -> None:
    assert "nobody" in problem(await served.http.post(NEW, json={"persona": "nobody"}), 404)["detail"]
    for path in ("/nothing", "/api/v1/nothing", "/api/v1/conversations/", "/static/nothing.js", "/docs", "/static/"):
        problem(await served.http.get(path), 404)
    wrong = await served.http.put(NEW, json={})
    problem(wrong, 405)
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        None,
        {"client_id": "c", "text": ""},
        {"client_id": "c", "text": " \n\t "},
        {"client_id": "c", "text": "x" * 8001},
        {"client_id": "c", "text": "a\0b"},
        {"client_id": "c", "text": 7},
        {"client_id": "c", "text": None},
        {"client_id": "", "text": "x"},
        {"client_id": "a b", "text": "x"},
        {"client_id": 1, "text": "x"},
        {"text": "x"},
        {"client_id": "c", "text": "x", "role": "system"},
        b'{"client_id": "c", "text": "\xff\xfe"}',
        b'{"client_id": "c", "text": "\\ud800"}',
        b'{"client_id": "c", "text": ',
        b"[" * 60_000,
        b"",
    ],
    ids=lambda body: repr(body)[:40],
)
async def test_a_wrong_message_is_422_and_not_stored(served: Served, body: Any) -> None:
    visitor = await served.visitor()
    told = problem(await send(served, visitor, body), 422)
    assert "x" * 50 not in json.dumps(told)
    assert await visitor.messages() == []


async def test_eight_thousand_characters_pass(served: Served) -> None:
    visitor = await served.visitor()
    await visitor.say("字" * 8000)
    assert (await visitor.messages())[0]["text"] == "字" * 8000


async def test_another_content_type_is_422(served: Served) -> None:
    visitor = await served.visitor()
    body = {"client_id": "c", "text": "hello"}
    problem(await send(served, visitor, body, **{"Content-Type": "text/plain"}), 422)
    assert await visitor.messages() == []


async def test_a_body_over_64_kib_is_413_announced_or_in_chunks(served: Served) -> None:
    visitor = await served.visitor()
    problem(await send(served, visitor, b"x" * 65_537), 413)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(32):
            yield b"x" * 65_536

    url = f"{NEW}/{visitor.id}/messages"
    headers = {"Content-Type": "application/json", **visitor.auth}
    problem(await served.http.post(url, content=chunks(), headers=headers), 413)
    assert await visitor.messages() == []


async def test_an_endless_body_is_answered_and_cut_off(served: Served) -> None:
    visitor = await served.visitor()
    url = httpx.URL(served.channel.address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    path = f"{NEW}/{visitor.id}/messages"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {visitor.token}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    sent = 0
    answer = asyncio.create_task(reader.readuntil(b"\r\n"))
    with suppress(ConnectionError):
        async with asyncio.timeout(30):
            while True:
                writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                await writer.drain()
                sent += 65_536
    assert (await answer).startswith(b"HTTP/1.1 413 ")
    assert sent < 16 * 1024 * 1024
    writer.close()


ROUTES = [
    ("GET", NEW + "/{conversation}/messages", None),
    ("POST", NEW + "/{conversation}/messages", {"client_id": "c", "text": "hello"}),
    ("GET", NEW + "/{conversation}/events", None),
    ("DELETE", NEW + "/{conversation}", None),
    ("POST", "/api/v1/turns/{turn}/stop", None),
    ("POST", "/api/v1/turns/{turn}/feedback", {"rating": "up"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=lambda value: str(value)[:50])
async def test_every_route_asks_for_the_conversations_own_token(
    served: Served, method: str, path: str, body: dict[str, str] | None
) -> None:
    owner, other = await served.visitor(), await served.visitor()
    turn = (await owner.say("secret"))["turn"]

    async def call(conversation: str, turn: str, **headers: str) -> httpx.Response:
        url = path.format(conversation=conversation, turn=turn)
        return await served.http.request(method, url, json=body, headers=headers)

    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {owner.token}"}, {"Authorization": ""}):
        answer = await call(owner.id, turn, **wrong)
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    foreign = problem(await call(owner.id, turn, **other.auth), 403)
    for made_up in (new_id(), "x", "~", "a%00b", "'; --"):
        assert problem(await call(made_up, made_up, **other.auth), 403) == foreign
    assert [message["text"] for message in await owner.messages()] == ["secret"]


async def test_the_token_is_stored_only_as_its_hash(served: Served) -> None:
    visitor = await served.visitor()
    await visitor.say("hello")
    stored = everything_in(served.folder)
    assert visitor.id.encode() in stored
    assert visitor.token.encode() not in stored


async def test_a_database_that_refuses_gives_503_with_retry_after(served: Served) -> None:
    visitor = await served.visitor()

    class Refusing:
        async def accept(self, inbound: Inbound) -> Accepted | None:
            raise StoreUnavailable("disk full")

    working, served.core.inbox = served.core.inbox, Refusing()  # type: ignore[assignment] # only accept is called
    answer = await send(served, visitor, {"client_id": "c", "text": "hello"})
    assert "disk" not in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) > 0
    served.core.inbox = working
    assert (await visitor.say("hello", client_id="c"))["duplicate"] is False


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"before": "nothing"}, {"before": "a\0"}]
)
async def test_wrong_queries_are_422(served: Served, query: dict[str, str]) -> None:
    visitor = await served.visitor()
    url = f"{NEW}/{visitor.id}/messages"
    problem(await served.http.get(url, params=query, headers=visitor.auth), 422)


@pytest.mark.parametrize(
    "body", [{"rating": "meh"}, {}, {"rating": "up", "comment": "x" * 2001}, {"rating": "up", "more": 1}]
)
async def test_a_wrong_rating_is_422(served: Served, body: dict[str, object]) -> None:
    visitor = await served.visitor()
    turn = (await visitor.say("hello"))["turn"]
    answer = await served.http.post(f"/api/v1/turns/{turn}/feedback", json=body, headers=visitor.auth)
    problem(answer, 422)


async def test_junk_instead_of_http_does_not_disturb_others(served: Served) -> None:
    url = httpx.URL(served.channel.address)
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"\x16\x03\x01\x00\xff" * 1000 + b"\r\n\r\n")
    await writer.drain()
    assert (await served.http.get("/healthz")).status_code == 200
    writer.close()

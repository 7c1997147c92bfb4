"""Probes, figures, pages and files."""

import asyncio
import gzip
import json
import socket
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from adapters.shared.serving import bind, url_of
from adapters.web.api import pages
from adapters.web.assets import Assets
from adapters.web.problems import install
from bot.errors import ConfigError
from tests.adapters_web.house import serving


async def test_ready_names_the_parts_that_do_not_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, dispatch=False) as served:
        assert (await served.http.get("/healthz")).json() == {"status": "ok"}
        ready = await served.http.get("/readyz")
        assert ready.status_code == 200
        assert ready.json() == {"status": "ready", "parts": ["database", "bus", "engine"], "degraded": []}
        served.core.faults["bus"] = "Redis does not answer"
        slower = await served.http.get("/readyz")
        assert slower.status_code == 200
        assert slower.json()["degraded"] == [{"at": "bus", "message": "Redis does not answer"}]
        served.core.faults["engine"] = "it is loading"
        red = await served.http.get("/readyz")
        assert red.status_code == 503
        assert red.headers["content-type"] == "application/problem+json"
        assert red.json()["errors"] == [{"at": "engine", "message": "it is loading"}]
        assert (await served.http.get("/healthz")).status_code == 200


async def test_metrics_count_by_route_template_and_tell_no_ids(tmp_path: Path) -> None:
    async with serving(tmp_path, engine="one two three") as served:
        visitor = await served.visitor()
        await visitor.reply((await visitor.say("my secret question"))["turn"])
        await served.http.get("/nothing/here")
        figures = (await served.http.get("/metrics")).text
    assert 'parley_web_turns_total{status="done"} 1.0' in figures
    assert "parley_web_deltas_total 3.0" in figures
    assert 'parley_web_messages_total{duplicate="false"} 1.0' in figures
    route = "/api/v1/conversations/{conversation}/messages"
    assert f'parley_web_requests_total{{method="POST",route="{route}",status="202"}} 1.0' in figures
    assert 'parley_engine_tokens_total{kind="cached"} 50.0' in figures
    assert 'route="none",status="404"' in figures
    for secret in (visitor.id, visitor.token, "secret", "/nothing/here"):
        assert secret not in figures


async def test_openapi_names_every_call_and_its_problems(tmp_path: Path) -> None:
    async with serving(tmp_path, dispatch=False) as served:
        document = (await served.http.get("/openapi.json")).json()
    assert set(document["paths"]) == {
        "/api/v1/personas",
        "/api/v1/conversations",
        "/api/v1/conversations/{conversation}",
        "/api/v1/conversations/{conversation}/messages",
        "/api/v1/conversations/{conversation}/events",
        "/api/v1/turns/{turn}/stop",
        "/api/v1/turns/{turn}/feedback",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    schemas = document["components"]["schemas"]
    assert "Problem" in schemas
    assert "HTTPValidationError" not in schemas
    answers = document["paths"]["/api/v1/conversations/{conversation}/events"]["get"]["responses"]
    assert set(answers) == {"200", "401", "403", "422", "429", "503"}
    assert list(answers["200"]["content"]) == ["text/event-stream"]
    assert list(answers["403"]["content"]) == ["application/problem+json"]


async def test_the_persona_schema_is_served(tmp_path: Path) -> None:
    async with serving(tmp_path, dispatch=False) as served:
        answer = await served.http.get("/schemas/persona.v1.json")
    assert answer.json() == {"title": "persona"}


@pytest.fixture
async def site(tmp_path: Path) -> httpx.AsyncClient:
    (tmp_path / "static" / "img").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "demo.html").write_text("<!doctype html><title>你好</title>")
    (tmp_path / "static" / "widget.js").write_text("let a = 1;" * 100)
    (tmp_path / "static" / "img" / "a.svg").write_text("<svg/>")
    (tmp_path / "static" / "notes.py").write_text("x")
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "static" / "link.js").symlink_to(tmp_path / "secret.js")
    app = FastAPI()
    app.include_router(pages.routes(None, root=tmp_path))  # type: ignore[arg-type] # the files need no desk
    install(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_files_have_strong_etags_and_right_types(site: httpx.AsyncClient) -> None:
    first = await site.get("/widget.js")
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["content-encoding"] == "gzip"
    assert first.text == "let a = 1;" * 100
    etag = first.headers["etag"]
    assert etag.startswith('"')
    assert "no-cache" in first.headers["cache-control"]
    again = await site.get("/widget.js", headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    plain = await site.get("/widget.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != etag
    head = await site.head("/static/img/a.svg")
    assert (head.status_code, head.headers["content-type"]) == (200, "image/svg+xml")


async def test_widget_files_may_be_loaded_by_every_site_and_the_page_is_ours(site: httpx.AsyncClient) -> None:
    loader = await site.get("/widget.js")
    assert loader.headers["cross-origin-resource-policy"] == "cross-origin"
    assert loader.headers["access-control-allow-origin"] == "*"
    page = await site.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'self'; frame-ancestors 'self'")
    assert "access-control-allow-origin" not in page.headers
    assert "你好" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../secret.js",
        "/static/%2e%2e/secret.js",
        "/static/..%2fsecret.js",
        "/static/link.js",
        "/static//etc/passwd",
        "/static/notes.py",
        "/static/img",
        "/static/a%00.js",
        "/static/..\\secret.js",
    ],
)
async def test_nothing_outside_the_folder_is_served(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace(path, "").replace("secret.js", "")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    file.write_text("one")
    assets = Assets(tmp_path)
    first = assets.get("a.js")
    file.write_text("three " * 50)
    second = assets.get("a.js")
    assert first is not None
    assert second is not None
    assert second.small is not None
    assert (first.content, gzip.decompress(second.small)) == (b"one", b"three " * 50)
    assert first.etag != second.etag


async def test_the_real_widget_is_there(tmp_path: Path) -> None:
    async with serving(tmp_path, dispatch=False) as served:
        loader = await served.http.get("/widget.js")
        assert loader.status_code == 200
        assert loader.headers["content-type"].startswith("text/javascript")
        assert (await served.http.get("/static/chat.js")).status_code == 200


async def test_a_taken_port_is_one_clear_line() -> None:
    first = await bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    assert url_of(first) == f"http://127.0.0.1:{port}"
    with pytest.raises(ConfigError, match=rf"cannot listen on 127.0.0.1 port {port}: another program uses it"):
        await bind("127.0.0.1", port)
    first.close()


@pytest.mark.parametrize(("host", "said"), [("no.such.host.invalid", "not known"), ("203.0.113.7", "no such address")])
async def test_a_host_that_is_not_ours_is_one_clear_line(host: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        await bind(host, 0)


async def test_a_server_for_every_network_is_opened_at_loopback() -> None:
    for host, shown in (("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:"), ("localhost", "http://")):
        bound = await bind(host, 0)
        assert url_of(bound).startswith(shown)
        bound.close()


async def test_signal_handlers_are_left_alone(tmp_path: Path) -> None:
    import signal

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with serving(tmp_path, dispatch=False) as served:
        await served.http.get("/healthz")
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
        assert json.loads((await served.http.get("/healthz")).content)
    await asyncio.sleep(0)


async def test_small_pieces_of_a_stream_are_not_held_back_by_the_kernel() -> None:
    with await bind("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname()):
        taken, _ = await asyncio.get_running_loop().sock_accept(bound)
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

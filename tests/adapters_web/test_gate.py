"""Who may call from where, and what every answer carries."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import ValidationError

from adapters.web import WebSettings
from adapters.web.origins import host_name
from tests.adapters_web.house import NEW, Served, serving

SHOP = "https://shop.example"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("web")
    async with serving(folder, dispatch=False, origins=(SHOP,), hosts=("chat.example",)) as served:
        yield served


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://shop.example.evil.example",
        "https://evil-shop.example",
        "https://sub.shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://SHOP.example",
        "null",
        "*",
        "",
        "http://127.0.0.1:1",
        "file://",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_foreign_origin_is_refused_on_every_call(served: Served, origin: str) -> None:
    visitor = await served.visitor()
    for method, path in (("POST", NEW), ("GET", f"{NEW}/{visitor.id}/messages"), ("OPTIONS", NEW)):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST", **visitor.auth}
        answer = await served.http.request(method, path, headers=headers, json={"persona": "helper"})
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.asyncio(loop_scope="module")
async def test_a_listed_origin_may_call_without_credentials(served: Served) -> None:
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    preflight = await served.http.options(NEW, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert preflight.headers["access-control-allow-headers"] == "Authorization, Content-Type, Last-Event-ID"
    assert "access-control-allow-credentials" not in preflight.headers
    answer = await served.http.post(NEW, json={"persona": "helper"}, headers={"Origin": SHOP})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "Origin" in answer.headers["vary"]
    refused = await served.http.post(NEW, json={"persona": "nobody"}, headers={"Origin": SHOP})
    assert refused.status_code == 404
    assert refused.headers["access-control-allow-origin"] == SHOP


@pytest.mark.asyncio(loop_scope="module")
async def test_our_own_pages_may_call_also_behind_a_proxy_that_ends_tls(served: Served) -> None:
    own = served.channel.address
    answer = await served.http.post(NEW, json={"persona": "helper"}, headers={"Origin": own})
    assert answer.status_code == 201
    assert "access-control-allow-origin" not in answer.headers
    behind = {"Origin": own.replace("http://", "https://"), "Sec-Fetch-Site": "same-origin"}
    assert (await served.http.post(NEW, json={"persona": "helper"}, headers=behind)).status_code == 201
    behind["Sec-Fetch-Site"] = "cross-site"
    assert (await served.http.post(NEW, json={"persona": "helper"}, headers=behind)).status_code == 403
    lying = {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}
    assert (await served.http.post(NEW, json={"persona": "helper"}, headers=lying)).status_code == 403


@pytest.mark.asyncio(loop_scope="module")
async def test_a_loopback_server_answers_only_to_its_own_names(served: Served) -> None:
    for name in ("localhost", "localhost:8080", "LOCALHOST", "[::1]:80", "127.0.0.1", "chat.example"):
        assert (await served.http.get("/healthz", headers={"Host": name})).status_code == 200, name
    for name in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8080"):
        answer = await served.http.get("/healthz", headers={"Host": name})
        assert answer.status_code == 421, name
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("host", "name"),
    [("a:1", "a"), ("[::1]", "[::1]"), ("[::1]:80", "[::1]"), ("A.b", "a.b"), ("", ""), (":80", ":80")],
)
def test_host_names_lose_their_port(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.asyncio(loop_scope="module")
async def test_every_answer_is_guarded_by_headers(served: Served) -> None:
    for path in ("/healthz", "/nothing", "/api/v1/personas", "/openapi.json", "/metrics"):
        headers = (await served.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["content-security-policy"].startswith("default-src 'none'"), path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert headers["cache-control"] == "no-store", path
        assert "server" not in headers, path


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": ("*",)},
        {"origins": ("null",)},
        {"origins": ("https://*.shop.example",)},
        {"origins": ("https://shop.example/",)},
        {"origins": ("shop.example",)},
        {"hosts": ("https://chat.example",)},
        {"identity_secret": "x" * 32},
        {"identity_secret": "short", "identity_audience": "chat"},
        {"port": 70000},
        {"more": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WebSettings.model_validate_json(json.dumps(wrong))

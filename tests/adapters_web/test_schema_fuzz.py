"""Requests made up from our own OpenAPI document: no 5xx, and answers as documented."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, response_schema_conformance, status_code_conformance

from tests.adapters_web.house import serving


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a loop of its own, since schemathesis calls it synchronously."""
    told: list[str] = []
    up, down = threading.Event(), threading.Event()
    folder: Path = tmp_path_factory.mktemp("fuzz")

    async def serve() -> None:
        async with serving(folder, dispatch=False) as served:
            told.append(served.channel.address)
            up.set()
            await asyncio.to_thread(down.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert up.wait(20)
    yield told[0]
    down.set()
    thread.join(10)


OPERATIONS = [
    ("GET", "/api/v1/personas"),
    ("POST", "/api/v1/conversations"),
    ("DELETE", "/api/v1/conversations/{conversation}"),
    ("GET", "/api/v1/conversations/{conversation}/messages"),
    ("POST", "/api/v1/conversations/{conversation}/messages"),
    ("GET", "/api/v1/conversations/{conversation}/events"),
    ("POST", "/api/v1/turns/{turn}/stop"),
    ("POST", "/api/v1/turns/{turn}/feedback"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["well-formed", "malformed"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(operation) for operation in OPERATIONS])
def test_made_up_requests_get_documented_answers(address: str, method: str, path: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_url(f"{address}/openapi.json")[path][method]

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        response = case.call(timeout=30)
        assert response.status_code < 500
        if response.status_code == 413:  # no check knows it for a refusal
            return
        case.validate_response(response, excluded_checks=[ignored_auth])

    with suppress(Unsatisfiable):  # some calls take nothing that could be malformed
        call()


def test_every_operation_is_tried(address: str) -> None:
    document = httpx.get(f"{address}/openapi.json").json()
    known = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert known == set(OPERATIONS)


ENDS = ("/messages", "/stop", "/feedback")
WITH_TOKEN = [operation for operation in OPERATIONS if operation[1].endswith(ENDS)]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["well-formed", "malformed"])
@pytest.mark.parametrize(("method", "path"), WITH_TOKEN, ids=[" ".join(operation) for operation in WITH_TOKEN])
def test_the_holder_of_a_token_gets_documented_answers(
    address: str, method: str, path: str, mode: GenerationMode
) -> None:
    opened = httpx.post(f"{address}/api/v1/conversations", json={"persona": "helper"}).json()
    auth = {"Authorization": f"Bearer {opened['token']}"}
    message = {"client_id": "first", "text": "hello"}
    url = f"{address}/api/v1/conversations/{opened['id']}/messages"
    ids = {"conversation": opened["id"], "turn": httpx.post(url, json=message, headers=auth).json()["turn"]}
    operation = schemathesis.openapi.from_url(f"{address}/openapi.json")[path][method]
    statuses: set[int] = set()

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        case.path_parameters = {name: value for name, value in ids.items() if name in case.path_parameters}
        case.headers = {**(case.headers or {}), **auth}
        response = case.call(timeout=30)
        case.validate_response(
            response, checks=[not_a_server_error, status_code_conformance, response_schema_conformance]
        )
        statuses.add(response.status_code)

    with suppress(Unsatisfiable):
        call()
    if mode is GenerationMode.POSITIVE:
        assert statuses & {200, 202, 204}

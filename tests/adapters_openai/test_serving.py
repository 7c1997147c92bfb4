"""`parley serve-engine`, and the engine's API on the web server: closed without a key."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import openai
import pytest

from adapters.openai import ServeSettings, open_server
from adapters.openai.application import plain_name
from bot.errors import ConfigError, EngineError
from bot.testing import ScriptedEngine
from tests.adapters_openai.house import KEY, VARIABLE, client_of, served
from tests.adapters_web.house import serving
from tests.cli.terminal import PARLEY, parley

HELLO = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize("key", [None, "", "short"])
async def test_without_a_proper_key_it_does_not_start(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if key is not None:
        monkeypatch.setenv(VARIABLE, key)
    with pytest.raises(ConfigError, match=VARIABLE):
        async with open_server(ServeSettings(port=0, key_env=VARIABLE), ScriptedEngine("ok")):
            pytest.fail("it opened")


async def test_probes_need_no_key() -> None:
    class Loading(ScriptedEngine):
        async def check(self) -> None:
            raise EngineError("still loading")

    async with served(Loading("ok")) as server, httpx.AsyncClient(base_url=server.address[:-3]) as http:
        assert (await http.get("/healthz")).status_code == 200
        refused = await http.get("/readyz")
        assert (refused.status_code, refused.json()["detail"]) == (503, "still loading")
    async with served(ScriptedEngine("ok")) as server, httpx.AsyncClient(base_url=server.address[:-3]) as http:
        assert (await http.get("/readyz")).status_code == 200


async def test_the_web_server_has_the_api_only_where_its_key_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, dispatch=False) as house:
        assert (await house.http.get("/v1/models")).status_code == 404
    monkeypatch.setenv(VARIABLE, KEY)
    async with serving(tmp_path, dispatch=False, engine="one two", engine_key_env=VARIABLE) as house:
        assert (await house.http.get("/v1/models")).status_code == 401
        assert (await house.http.get("/api/v1/personas")).status_code == 200
        async with client_of(f"{house.channel.address}/v1") as client:
            [model] = (await client.models.list()).data
            answer = await client.chat.completions.create(
                model=model.id, messages=[{"role": "user", "content": "hello"}]
            )
            assert answer.choices[0].message.content == "one two"


async def test_the_web_channel_does_not_open_with_the_key_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=VARIABLE):
        async with serving(tmp_path, dispatch=False, engine_key_env=VARIABLE):
            pytest.fail("it opened")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B"),
        ("Parley starter (3.3 M parameters)", "Parley-starter"),
        ("模型", "parley"),
    ],
)
def test_a_model_is_called_by_what_can_be_typed(model: str, name: str) -> None:
    assert plain_name(model) == name


@asynccontextmanager
async def serve_engine(folder: Path, *arguments: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The command as a process of its own, and the base URL it printed."""
    process = await asyncio.create_subprocess_exec(
        PARLEY,
        "serve-engine",
        "--port",
        "0",
        *arguments,
        cwd=folder,
        env={**os.environ, "PARLEY_ENGINE_KEY": KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr,
    )
    assert process.stdout is not None
    try:
        url = ""
        async with asyncio.timeout(90):
            while line := (await process.stdout.readline()).decode():
                if found := re.search(r"http://\S+/v1", line):
                    url = found[0]
                if "ready" in line:
                    break
        assert url
        yield url, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.slow
async def test_the_command_serves_the_starter_and_leaves_in_good_order(tmp_path: Path) -> None:
    async with serve_engine(tmp_path, "--name", "starter") as (url, process), client_of(url) as client:
        seeded = [
            await client.chat.completions.create(
                model="starter", messages=[{"role": "user", "content": "hello"}], seed=7, max_tokens=12
            )
            for _ in range(2)
        ]
        assert seeded[0].choices[0].message.content == seeded[1].choices[0].message.content
        assert seeded[0].usage is not None
        assert 0 < seeded[0].usage.completion_tokens <= 12
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(model="starter", messages=[], n=2)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert not (tmp_path / "parley.db").exists()


def test_the_command_refuses_without_a_key_in_one_line(tmp_path: Path) -> None:
    result = parley("serve-engine", "--port", "0", cwd=tmp_path, environment={"PARLEY_ENGINE_KEY": ""})
    assert result.code == 1
    assert "PARLEY_ENGINE_KEY" in result.complaint


async def test_the_doctor_asks_each_endpoint_and_shows_no_key(tmp_path: Path) -> None:
    async with served(ScriptedEngine("ok")) as server:
        endpoints = [server.address, "http://127.0.0.1:9/v1"]
        engine = {"use": "remote", "endpoints": endpoints, "model": "tiny", "key_env": VARIABLE}
        (tmp_path / "parley.yaml").write_text(json.dumps({"engine": engine}))
        result = await asyncio.to_thread(parley, "doctor", cwd=tmp_path, environment={VARIABLE: KEY})
        assert result.code == 1
        assert f"{server.address} answers" in result.out
        assert "wrong: http://127.0.0.1:9/v1 cannot be reached" in result.out
        assert VARIABLE in result.out
        assert KEY not in result.out + result.err
    unset = await asyncio.to_thread(parley, "ask", "hello", cwd=tmp_path, environment={VARIABLE: ""})
    assert unset.code == 1
    assert VARIABLE in unset.complaint

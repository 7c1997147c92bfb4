"""llama.cpp's server behind the remote engine: part of `make soak` alone, because its build takes minutes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from bot.engine.remote.engine import RemoteEngine, open_remote
from bot.engine.remote.settings import RemoteSettings
from bot.errors import EngineError
from tests.conformance.engine import answer, ask
from tests.engine.remote.proxy import How, Proxy, proxy
from tests.llamacpp.environment import write_gguf
from tests.ports import Port

FAULTS: tuple[How, ...] = ("500", "garbage", "html", "cut", "hang", "429")
MODEL = "tiny"


@asynccontextmanager
async def serving(folder: Path, python: Path) -> AsyncIterator[str]:
    """llama.cpp's server with the tiny model of `folder`; its base URL."""
    file, held = folder / "tiny.gguf", Port()
    port = held.number
    await write_gguf(python, folder, file, kind="f32")
    with (folder / "llama.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            python, "-m", "llama_cpp.server", "--model", str(file), "--model_alias", MODEL, "--n_ctx", "256",
            "--n_threads", "1", "--port", str(port), stdout=log, stderr=log,
        )  # fmt: skip
    url = f"http://localhost:{port}/v1"
    try:
        async with asyncio.timeout(120), httpx.AsyncClient() as http:
            while True:
                if process.returncode is not None:
                    raise RuntimeError((folder / "llama.log").read_text())
                with suppress(httpx.TransportError):
                    if (await http.get(f"{url}/models")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield url
    finally:
        process.kill()
        await process.wait()


async def ask_through_faults(url: str, folder: Path, times: int, told: Callable[[float], None]) -> dict[str, int]:
    """Questions, of which each second one meets a fault first. Counts those lost, miscounted, and errors told."""
    found = {"turns": 0, "lost": 0, "miscounted": 0, "told": 0}
    async with proxy(url) as before:
        settings = RemoteSettings(
            endpoints=(before.url,), model=MODEL, context=256, tokenizer=folder, first_seconds=5.0, break_after=100
        )
        async with open_remote(settings) as engine:
            await engine.probe()
            await engine.check()
            for number in range(times):
                fault = FAULTS[number // 2 % len(FAULTS)] if number % 2 else None
                await _question(engine, before, fault, number, found)
                told((number + 1) / times)
            found["left over"] = engine.in_flight
    return found


async def _question(engine: RemoteEngine, before: Proxy, fault: How | None, number: int, found: dict[str, int]) -> None:
    """A fault after the first token, and a server that asks to wait, are told; every other one is got over."""
    found["turns"] += 1
    if fault is not None:
        before.script.append(fault)
    prompt = ask(f"question {number}", engine=engine, max_tokens=8, seed=number)
    try:
        _, finished = await answer(engine, prompt)
    except EngineError:
        found["told" if fault in ("cut", "429") else "lost"] += 1
        await asyncio.sleep(1.1 if fault == "429" else 0)
    else:
        found["miscounted"] += finished.prompt_tokens != engine.count_tokens(prompt.messages)

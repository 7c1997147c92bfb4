"""Chainlit, installed on first use into a virtual environment of its own, with an instant answer."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

CHAINLIT = "chainlit==2.12.*"
APP = """
import chainlit as cl

@cl.on_message
async def answer(message):
    reply = cl.Message(content="")
    for token in {tokens!r}:
        await reply.stream_token(token)
    await reply.send()
"""


@asynccontextmanager
async def chainlit(folder: Path, tokens: Sequence[str]) -> AsyncIterator[tuple[int, int]]:
    """Its port and process id."""
    command = await asyncio.to_thread(_installed)
    (folder / "app.py").write_text(APP.format(tokens=list(tokens)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(command, "run", "app.py", "--headless", "--host", "127.0.0.1", "--port", str(port)),
            cwd=folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=log,
            stderr=log,
        )
    try:
        await _listening(process, port)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(60):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
    raise RuntimeError("Chainlit did not start")


def _installed() -> Path:
    folder = Path.home() / ".cache" / "parley" / re.sub(r"[^a-z0-9.]+", "-", CHAINLIT).strip("-.")
    done = folder / "bin" / "chainlit"
    if not done.exists():
        print(f"… installing {CHAINLIT} (once)", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        pip = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "install",
            CHAINLIT,
        ]
        subprocess.run(pip, check=True)
    return done

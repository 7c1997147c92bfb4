"""`parley serve-engine --replicas 2` as a process of its own, with everything it leaves or should not leave."""

import asyncio
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.adapters_openai.house import KEY
from tests.cli.terminal import PARLEY
from tests.engine.models import make_folder

START_SECONDS = 420
"""Ray starts a dozen processes, each of which imports a lot; beside other tests that takes its time."""
SETTINGS = {
    "serve": {"name": "tiny", "health_seconds": 1, "grace_seconds": 90},
    "engine": {"model": "tiny", "device": "cpu", "threads": 1, "slots": 4, "prefix_cache": 16},
}


@dataclass(frozen=True, kw_only=True)
class Replicas:
    url: str
    process: asyncio.subprocess.Process
    scratch: Path

    def below(self) -> list[psutil.Process]:
        """Every process of the fleet but the first."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found


@asynccontextmanager
async def replicas(folder: Path) -> AsyncIterator[Replicas]:
    """Two, which can answer. Whatever happens, nothing of them is left."""
    make_folder(folder / "tiny", max_position_embeddings=4096)
    (folder / "parley.yaml").write_text(json.dumps(SETTINGS))
    with tempfile.TemporaryDirectory(prefix="p-", ignore_cleanup_errors=True) as short:  # sockets' paths must be short
        process = await asyncio.create_subprocess_exec(
            *(PARLEY, "serve-engine", "--port", "0", "--replicas", "2"),
            cwd=folder,
            env={**os.environ, "PARLEY_ENGINE_KEY": KEY, "TMPDIR": short},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        below: list[psutil.Process] = []
        try:
            url = await started(process)
            fleet = Replicas(url=url, process=process, scratch=Path(short))
            below = fleet.below()
            yield fleet
        finally:
            if process.returncode is None:
                below += psutil.Process(process.pid).children(recursive=True)
                process.kill()
            await process.wait()
            for each in below:
                if each.is_running():
                    each.kill()


async def started(process: asyncio.subprocess.Process) -> str:
    """The base URL, when the replicas are ready."""
    assert process.stdout is not None
    said, url = "", ""
    async with asyncio.timeout(START_SECONDS):
        while line := (await process.stdout.readline()).decode():
            said += line
            if found := re.search(r"http://\S+/v1", line):
                url = found[0]
            if "2 replicas are ready" in line:
                return url
    raise AssertionError(f"they did not start: {said}")

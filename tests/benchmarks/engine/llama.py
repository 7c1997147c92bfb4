"""llama.cpp through llama-cpp-python, where it is installed: the same weights in q8_0."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.measuring.rivals import Rival, rival
from tests.crash.llama import home, installed

_HERE = Path(__file__).parent
HOW = f"CMAKE_ARGS=-DLLAVA_BUILD=OFF .venv/bin/python -m tests.crash.llama  # minutes; into {home()}"


@asynccontextmanager
async def llama(folder: Path, *, rows: int, context: int, threads: int) -> AsyncIterator[Rival | None]:
    """Loaded; None where llama.cpp is not installed."""
    python = installed()
    if python is None:
        yield None
        return
    file = folder / "q8.gguf"
    if not file.exists():
        process = await asyncio.create_subprocess_exec(
            *(python, "-P", _HERE / "write_gguf.py", folder, file), stderr=asyncio.subprocess.PIPE
        )
        _, words = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{folder} did not become GGUF: {words.decode()[-2000:]}")
    start = [str(python), "-P", str(_HERE / "llama_child.py")]
    more = {"file": str(file), "rows": rows, "context": context}
    async with rival("llama.cpp", start, folder=folder, precision="q8", threads=threads, device="cpu", **more) as other:
        yield other

"""llama.cpp through llama-cpp-python, where it is installed: the same weights in q8_0."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.measuring.rivals import Rival, rival
from tests.llamacpp.environment import installed, write_gguf

_HERE = Path(__file__).parent


@asynccontextmanager
async def llama(folder: Path, *, rows: int, context: int, threads: int) -> AsyncIterator[Rival | None]:
    """Loaded; None where llama.cpp is not installed."""
    python = installed()
    if python is None:
        yield None
        return
    file = folder / "q8.gguf"
    if not file.exists():
        await write_gguf(python, folder, file, kind="q8_0")
    start = [str(python), "-P", str(_HERE / "llama_child.py")]
    more = {"file": str(file), "rows": rows, "context": context}
    async with rival("llama.cpp", start, folder=folder, precision="q8", threads=threads, device="cpu", **more) as other:
        yield other

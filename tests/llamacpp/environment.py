"""llama.cpp (llama-cpp-python) in an environment of its own: its build takes minutes, so no test needs it.

`python -m tests.llamacpp.environment` builds it once; `make soak` does so by itself, `make bench` uses it where it is.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Literal

NEEDS = ("llama-cpp-python[server]>=0.3.16,<0.4", "gguf>=0.17", "safetensors>=0.6")
HOW = ".venv/bin/python -m tests.llamacpp.environment"
_WRITER = Path(__file__).parent / "write_gguf.py"


def home() -> Path:
    """Where it lies: in the user's cache, not in the project's."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "parley" / "llama"


def installed() -> Path | None:
    """Its Python, if it was made."""
    return home() / "bin" / "python" if (home() / ".done").exists() else None


async def environment() -> Path:
    """Its Python; built where it is not there yet."""
    python = home() / "bin" / "python"
    if installed() is None:
        await _run(sys.executable, "-m", "venv", str(home()))
        await _run(str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *NEEDS)
        (home() / ".done").touch()
    return python


async def write_gguf(python: Path, folder: Path, file: Path, *, kind: Literal["f32", "q8_0"]) -> None:
    """Write the model of `folder` as GGUF. Raises RuntimeError with what the writer said."""
    await _run(str(python), "-P", str(_WRITER), str(folder), str(file), kind)


async def _run(*command: str) -> None:
    environment = {**os.environ, "CMAKE_ARGS": os.environ.get("CMAKE_ARGS", "-DLLAVA_BUILD=OFF")}  # it sees no images
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{out.decode(errors='replace')[-4000:]}")


if __name__ == "__main__":
    asyncio.run(environment())

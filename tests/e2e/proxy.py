"""nginx with the settings that docker/replicas.yaml gives it, in front of servers on this machine."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.ports import Port

SETTINGS = Path(__file__).parents[2] / "docker" / "nginx.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    url: str


def command(folder: Path) -> list[str]:
    nginx = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
    assert nginx, "this test needs nginx: sudo apt-get install nginx-light"
    rights = ["-g", "user root;"] if os.geteuid() == 0 else []  # the folder is root's alone
    return [nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf"), *rights]


def write_settings(folder: Path, *, port: int, replicas: Sequence[int]) -> None:
    """Put addresses of this machine where the file has names that only Docker knows."""
    folder.mkdir(exist_ok=True)
    text = SETTINGS.read_text()
    name = re.compile(r"server parley:8080 resolve (.*);")
    assert name.search(text), "docker/nginx.conf no longer names its replicas parley:8080"
    assert "listen 8080;" in text
    servers = "\n".join(rf"server 127.0.0.1:{replica} \1;" for replica in replicas)
    text = name.sub(servers, text).replace("listen 8080;", f"listen 127.0.0.1:{port};")
    (folder / "nginx.conf").write_text(text)


@asynccontextmanager
async def proxy(folder: Path, *, replicas: Sequence[int]) -> AsyncIterator[Proxy]:
    """A proxy that answers, in front of the ports of the replicas."""
    port = Port()
    write_settings(folder, port=port.number, replicas=replicas)
    with (folder / "stderr.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command(folder), stderr=log)
    try:
        async with asyncio.timeout(30):
            while not await _listens(port.number):
                assert process.returncode is None, (folder / "stderr.log").read_text()
                await asyncio.sleep(0.02)
        yield Proxy(url=f"http://127.0.0.1:{port.number}")
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True

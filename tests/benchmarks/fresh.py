"""A newcomer's first minutes: a clean clone, `make run`, the first answer; then the second start."""

import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import psutil

from tests.benchmarks.report import Row

TREE = Path(__file__).parents[2]


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "parley"
        git = shutil.which("git") or "git"
        subprocess.run([git, "clone", "--quiet", TREE, clone], check=True)
        first = _start(clone)
        again = _start(clone)
    return [
        Row("fresh clone: install", f"{first['install']:.0f} s"),
        Row("fresh clone: start to page", f"{first['page']:.1f} s, to a ready model {first['ready']:.1f} s"),
        Row("fresh clone: first token, whole answer", f"{first['token']:.2f} s, {first['answer']:.2f} s"),
        Row("second start: page, ready", f"{again['page']:.1f} s, {again['ready']:.1f} s"),
        Row("memory of parley run", f"{first['memory']:.0f} MiB"),
    ]


def _start(clone: Path) -> dict[str, float]:
    make = shutil.which("make") or "make"
    began = time.perf_counter()
    command = [make, "run", "ARGS=--port 0"]
    process = subprocess.Popen(command, cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    found: dict[str, float] = {}
    try:
        subprocess.run([make, "--question", ".venv/.installed"], cwd=clone, check=False)
        for line in process.stdout:
            now = time.perf_counter() - began
            if "Parley is up" in line:
                found["up"] = now
            elif address := re.search(r"http://\S+", line):
                url = address[0].rstrip("/")
            elif "ready" in line:
                found["ready"] = now
                break
        installed = (clone / ".venv" / ".installed").stat().st_mtime - (time.time() - (time.perf_counter() - began))
        found["install"] = max(0.0, installed)
        found["page"] = found.pop("up") - found["install"]
        found["ready"] -= found["install"]
        found |= _ask(url)
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        found["memory"] = sum(one.memory_info().rss for one in tree) / 2**20
    finally:
        process.send_signal(signal.SIGINT)
        for child in psutil.Process(process.pid).children(recursive=True):
            child.send_signal(signal.SIGTERM)
        process.wait(30)
    return found


def _ask(url: str) -> dict[str, float]:
    with httpx.Client(base_url=url, timeout=60) as http:
        opened = http.post("/api/v1/conversations", json={"persona": "support"}).json()
        http.headers["Authorization"] = f"Bearer {opened['token']}"
        path = f"/api/v1/conversations/{opened['id']}"
        began = time.perf_counter()
        http.post(f"{path}/messages", json={"client_id": "1", "text": "How long is the warranty?"})
        token = 0.0
        with http.stream("GET", f"{path}/events") as events:
            for line in events.iter_lines():
                if line.startswith("event: delta"):
                    token = token or time.perf_counter() - began
                elif line.startswith("event: turn.finished"):
                    return {"token": token or time.perf_counter() - began, "answer": time.perf_counter() - began}
    raise RuntimeError("the stream ended before the answer did")

"""The README's commands and files do what it says. A fence's second word tells how it is tried: `run` blocks run in
one shell one after the other, `settings` and `persona` blocks are read by Parley."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import load
from bot.personas import check
from tests.e2e.server import Server, outside_package

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w+) (\w+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    found = [text for _, how, text in BLOCKS if how == kind]
    assert found, f"the README has no {kind} block"
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("script", blocks("run"))
def test_the_readme_s_commands_run(script: str, tmp_path: Path) -> None:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=280,  # one of them trains a model
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.strip()
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("text", blocks("settings"))
def test_the_readme_s_settings_are_valid(text: str, tmp_path: Path) -> None:
    file = tmp_path / "parley.yaml"
    file.write_text(text, encoding="utf-8")
    load(file, environment={})


@pytest.mark.parametrize("text", blocks("persona"))
def test_the_readme_s_personas_pass_the_check(text: str, tmp_path: Path) -> None:
    name = re.search(r"^name: (\S+)$", text, re.MULTILINE)
    assert name is not None
    for source in re.findall(r"source: ([\w/-]+)", text):
        (tmp_path / source).mkdir(parents=True)
    file = tmp_path / f"{name[1]}.yaml"
    file.write_text(text, encoding="utf-8")
    assert [str(problem) for problem in check([file], language="en").problems] == []


async def test_the_readme_s_channel_works_from_a_package_outside_the_tree(tmp_path: Path) -> None:
    [source] = blocks("channel")
    server = Server(tmp_path, answer="Hello to you.", delay=0.0)
    outside_package(tmp_path / "packages", group="parley.channels", name="folder", source=source)
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "ann.txt").write_text("hello")
    server.settings["channels"]["folder"] = {"folder": str(drop), "personas": {"default": "free"}}
    await server.start()
    try:
        async with asyncio.timeout(60):
            while not (drop / "ann.reply").exists():
                await asyncio.sleep(0.05)
        assert (drop / "ann.reply").read_text() == "Hello to you."
        assert not (drop / "ann.txt").exists()
    finally:
        await server.end(signal.SIGTERM)

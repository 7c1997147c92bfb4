"""The committed bundle is small, is what the sources say, and holds nothing that a strict policy forbids."""

import gzip
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "adapters" / "web"
WIDGET, STATIC = WEB / "widget", WEB / "static"
LOADER_LIMIT, LIMIT = 4 * 1024, 32 * 1024


def zipped(name: str) -> int:
    return len(gzip.compress((STATIC / name).read_bytes(), mtime=0))


def test_loader_and_widget_are_within_their_sizes() -> None:
    loader, chat = zipped("widget.js"), zipped("chat.js")
    assert loader <= LOADER_LIMIT
    assert loader + chat <= LIMIT, f"{loader} + {chat} bytes gzipped are more than {LIMIT}"


@pytest.mark.slow
def test_a_fresh_build_gives_the_committed_bytes(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.fail("building the widget needs Node and npm: apt-get install nodejs npm")
    subprocess.run([node, WIDGET / "build.mjs", tmp_path], check=True, timeout=100)
    for name in ("widget.js", "chat.js"):
        same = (tmp_path / name).read_bytes() == (STATIC / name).read_bytes()
        assert same, f"{name} is not what src/ says: run node adapters/web/widget/build.mjs and commit the result"


def test_vendored_files_are_the_published_ones() -> None:
    listed = dict(line.split()[::-1] for line in (WIDGET / "vendor" / "SHA256SUMS").read_text().splitlines())
    files = [path for path in (WIDGET / "vendor").rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    found = {path.relative_to(WIDGET / "vendor").as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == listed
    assert "marked/LICENSE" in listed


@pytest.mark.parametrize(
    "forbidden",
    [r"innerHTML", r"outerHTML", r"insertAdjacentHTML", r"document\.write", r"new Function", r"\beval\(",
     r"setAttribute\(\s*[\"']style", r"createElement\(\s*[\"']style", r"srcdoc", r"cssText"],
)  # fmt: skip
def test_our_sources_hold_nothing_that_a_strict_policy_forbids(forbidden: str) -> None:
    for path in [*(WIDGET / "src").rglob("*.js"), STATIC / "demo.js", STATIC / "chat.js"]:
        assert not re.search(forbidden, path.read_text()), path


def test_the_demo_page_has_no_inline_script_or_style() -> None:
    html = (WEB / "templates" / "demo.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html) == []

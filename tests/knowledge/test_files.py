import os
from pathlib import Path

import pytest

from bot.knowledge.documents import BadDocument
from bot.knowledge.files import Limits, load, scan


def test_a_link_out_of_the_source_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "more.md").write_text("secret")
    source = tmp_path / "kb"
    source.mkdir()
    (source / "link.md").symlink_to(secret)
    (source / "folder").symlink_to(outside)
    (source / "loop.md").symlink_to(source / "loop.md")
    (source / "good.md").write_text("good")
    (source / "alias.md").symlink_to(source / "good.md")
    found = scan(source, Limits())
    assert set(found.files) == {"good.md", "alias.md"}
    assert "leads out" in found.problems["link.md"]
    assert "linked folder" in found.problems["folder"]
    assert "loop.md" in found.problems


def test_limits_leave_out_what_is_too_much_and_say_so(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / name).write_text("x" * 100)
    (tmp_path / "big.md").write_text("x" * 1000)
    by_size = scan(tmp_path, Limits(file_bytes=500))
    assert set(by_size.files) == {"a.md", "b.md", "c.md"}
    assert "over the limit of 500" in by_size.problems["big.md"]
    assert set(scan(tmp_path, Limits(files=2)).files) == {"a.md", "b.md"}
    assert set(scan(tmp_path, Limits(file_bytes=500, source_bytes=250)).files) == {"a.md", "b.md"}


def test_odd_things_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "picture.png").write_bytes(b"x")
    (tmp_path / ".hidden.md").write_text("x")
    found = scan(tmp_path, Limits())
    assert not found.files
    assert set(found.problems) == {"pipe.md", "picture.png"}
    assert "cannot be read" in scan(tmp_path / "none", Limits()).problems[""]


def test_a_file_that_grew_since_the_scan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("x")
    limits = Limits(file_bytes=10)
    found = scan(tmp_path, limits).files["a.md"]
    path.write_text("x" * 11)
    with pytest.raises(BadDocument, match="over the limit of 10"):
        load(found, limits)

import lzma
from pathlib import Path

import pytest

from bot.errors import TrainingError
from bot.training.corpus import chats, documents, find
from bot.types import Message

GOOD = '{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}'


def test_documents_are_parted_by_their_separator_plain_and_compressed(tmp_path: Path) -> None:
    text = "one\ntwo\n<|doc|>\n你好，世界。这是中文。\n<|doc|>\n\n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with lzma.open(tmp_path / "b.txt.xz", "wb") as file:
        file.write(text.encode())
    for name in ("a.txt", "b.txt.xz"):
        found = list(documents(tmp_path / name))
        assert [d.text for d in found] == ["one\ntwo", "你好，世界。这是中文。"]
        assert [d.language for d in found] == ["en", "zh"]
        assert found[0].source == name[0]


def test_chats_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f"{GOOD}\n\n{GOOD}\n", encoding="utf-8")
    assert list(chats(path)) == [(Message(role="user", text="hi"), Message(role="assistant", text="hello"))] * 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "expected"),
        ('{"messages": []}', "expected"),
        ('{"messages": [{"role": "bot", "content": "x"}]}', "role 'bot'"),
        ('{"messages": [{"role": "assistant", "content": " "}]}', "not empty"),
        ('{"messages": [{"role": "user", "content": "x"}]}', "assistant"),
    ],
)
def test_a_bad_chat_is_reported_with_file_line_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f"{GOOD}\n{line}\n", encoding="utf-8")
    with pytest.raises(TrainingError, match=reason) as caught:
        list(chats(path))
    assert str(caught.value).startswith(f"{path}:2: ")


def test_text_that_is_not_utf8_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"fine\n\xff\xfe\n")
    with pytest.raises(TrainingError, match=r"a\.txt:2: not UTF-8"):
        list(documents(path))


def test_a_cut_off_archive_is_reported(tmp_path: Path) -> None:
    whole = lzma.compress(b"line\n" * 10_000)
    (tmp_path / "a.txt.xz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="damaged xz"):
        list(documents(tmp_path / "a.txt.xz"))


def test_files_are_sorted_by_kind_and_unknown_kinds_refused(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt.xz", "c.jsonl", "NOTICE.md"):
        (tmp_path / name).touch()
    found = find([tmp_path])
    assert [p.name for p in found.texts] == ["a.txt", "b.txt.xz"]
    assert [p.name for p in found.chats] == ["c.jsonl"]
    assert [p.name for p in found.notices] == ["NOTICE.md"]
    (tmp_path / "d.docx").touch()
    with pytest.raises(TrainingError, match=r"d\.docx"):
        find([tmp_path])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nowhere"):
        find([tmp_path / "nowhere"])

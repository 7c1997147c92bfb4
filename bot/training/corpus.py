"""Natural text and chats from files. What cannot be read is reported with file, line and reason, never skipped."""

import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from bot.errors import TrainingError
from bot.language import is_han
from bot.types import Message, Role

SEPARATOR = "<|doc|>"
TEXT_ENDINGS = (".txt", ".md", ".txt.xz")
CHAT_ENDINGS = (".jsonl", ".jsonl.xz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    text: str
    source: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of `--data`: natural text and chats. `notices` travel with the weights."""

    texts: tuple[Path, ...]
    chats: tuple[Path, ...]
    notices: tuple[Path, ...]


def find(paths: Iterable[Path]) -> Files:
    """Sort files and folders (not their subfolders) by kind. Raises TrainingError for what is none of them."""
    texts: list[Path] = []
    chats: list[Path] = []
    notices: list[Path] = []
    for path in paths:
        if not path.exists():
            raise TrainingError(f"{path}: no such file or folder; give text (.txt, .md, .txt.xz) or chats (.jsonl)")
        listed = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        for file in listed:
            name = file.name.lower()
            if name.startswith("notice"):
                notices.append(file)
            elif name.endswith(CHAT_ENDINGS):
                chats.append(file)
            elif name.endswith(TEXT_ENDINGS):
                texts.append(file)
            else:
                raise TrainingError(f"{file}: cannot train on this kind of file; use .txt, .md, .txt.xz or .jsonl")
    return Files(texts=tuple(texts), chats=tuple(chats), notices=tuple(notices))


def documents(path: Path) -> Iterator[Document]:
    """The documents of a text file, parted by lines `<|doc|>`. Raises TrainingError."""
    part: list[str] = []
    source = path.name.removesuffix(".xz").rsplit(".", 1)[0]
    for line in _lines(path):
        if line.strip() == SEPARATOR:
            yield from _document(part, source)
            part = []
        else:
            part.append(line)
    yield from _document(part, source)


def chats(path: Path) -> Iterator[tuple[Message, ...]]:
    """The chats of a JSON-lines file of `{"messages": [{"role", "content"}, …]}`. Raises TrainingError."""
    return (messages for _, messages in numbered_chats(path))


def numbered_chats(path: Path) -> Iterator[tuple[int, tuple[Message, ...]]]:
    """The same, each with the number of its line."""
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            yield number, _chat(line, f"{path}:{number}")


def _chat(line: str, where: str) -> tuple[Message, ...]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise TrainingError(f"{where}: not JSON: {error.msg} at column {error.colno}") from error
    entries = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(entries, list) or not entries:
        raise TrainingError(f'{where}: expected {{"messages": [{{"role": …, "content": …}}, …]}}')
    messages = tuple(_message(entry, f"{where}: message {n}") for n, entry in enumerate(entries, start=1))
    if not any(m.role == "assistant" for m in messages):
        raise TrainingError(f"{where}: no message of the assistant to learn from")
    return messages


def _message(entry: Any, where: str) -> Message:
    said = entry.get("role") if isinstance(entry, dict) else None
    role: Role | None = next((known for known in get_args(Role) if known == said), None)
    if role is None:
        raise TrainingError(f"{where}: role {said!r} is none of system, user, assistant")
    content = entry.get("content")
    if not isinstance(content, str) or not content.strip():
        raise TrainingError(f"{where}: content must be text that is not empty")
    return Message(role=role, text=content)


def _lines(path: Path) -> Iterator[str]:
    number = 0
    try:
        with lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb") as file:
            for raw in file:
                number += 1
                yield raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path}:{number}: not UTF-8: {error.reason} at byte {error.start}") from error
    except (lzma.LZMAError, EOFError) as error:
        raise TrainingError(f"{path}:{number + 1}: damaged xz file: {error}") from error
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror}") from error


def _document(lines: list[str], source: str) -> Iterator[Document]:
    text = "\n".join(lines).strip()
    if text:
        han = sum(map(is_han, text[:2000]))
        yield Document(text=text, source=source, language="zh" if han * 4 > len(text[:2000]) else "en")

"""One file → passages: Markdown, plain text, CSV and YAML lists of questions and answers."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.knowledge import markdown
from bot.knowledge.passages import Block, Draft, Section, harmless, pack
from bot.knowledge.sentences import sentences
from bot.knowledge.words import size

_WHOLE = 2.0  # an answer up to this size stays one passage: half a story or outline helps nobody
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


class BadDocument(Exception):
    """Why a file cannot be read; the reason is one clear line."""


def read(name: str, data: bytes) -> list[Draft]:
    """The passages of a file. Raises BadDocument."""
    reader = READERS[PurePath(name).suffix.lower()]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDocument(f"not UTF-8: byte {error.start} is 0x{data[error.start]:02x}; save it as UTF-8") from error
    if "\0" in text:
        raise BadDocument("holds NUL characters: not a text file")
    return list(reader(name, harmless(text)))


def _titled(name: str, section: Section) -> Section:
    """A section outside every heading stands under the file's name."""
    if section.heading:
        return section
    title = re.sub(r"[-_]+", " ", PurePath(name).stem).strip()
    return Section((title[:1].upper() + title[1:],), section.blocks)


def _markdown(name: str, text: str) -> Iterator[Draft]:
    for section in markdown.sections(text):
        yield from pack(_titled(name, section))


def _plain(name: str, text: str) -> Iterator[Draft]:
    blocks = []
    for paragraph in _PARAGRAPH.split(text):
        pieces = tuple(piece.strip() for piece in sentences(markdown.unwrap(paragraph)) if piece.strip())
        if pieces:
            blocks.append(Block(pieces, None))
    if blocks:
        yield from pack(_titled(name, Section((), tuple(blocks))))


def _csv(name: str, text: str) -> Iterator[Draft]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if header != ["question", "answer"]:
            raise BadDocument(f"line 1: expected the header question,answer, found {','.join(header)!r}")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != 2 or not all(cell.strip() for cell in row):
                raise BadDocument(f"line {reader.line_num}: expected a question and an answer, found {row!r}"[:200])
            yield from question_and_answer(row[0].strip(), row[1].strip(), ())
    except csv.Error as error:
        raise BadDocument(f"line {reader.line_num}: {error}") from error


def _yaml(name: str, text: str) -> Iterator[Draft]:
    try:
        if "*" in text:  # reading it twice takes twice as long
            _refuse_aliases(text)
        root = YAML(typ="safe", pure=True).compose(io.StringIO(text))
    except (YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise BadDocument(where + (getattr(error, "problem", None) or str(error).splitlines()[0])) from error
    except RecursionError as error:
        raise BadDocument("nested too deeply") from error
    if root is None:
        return
    if not isinstance(root, SequenceNode):
        raise BadDocument("expected a list of entries with question and answer")
    for entry in root.value:
        yield from _entry(entry)


def _refuse_aliases(text: str) -> None:
    for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
        if isinstance(event, AliasEvent):
            raise BadDocument(f"line {event.start_mark.line + 1}: YAML aliases are not allowed: write it out")


def _entry(entry: Node) -> Iterator[Draft]:
    line = entry.start_mark.line + 1
    if not isinstance(entry, MappingNode):
        raise BadDocument(f"line {line}: expected an entry with question and answer")
    fields: dict[str, Any] = {}
    for key, value in entry.value:
        where = f"line {key.start_mark.line + 1}"
        if key.value not in ("question", "answer", "also"):
            raise BadDocument(f"{where}: unknown key {key.value!r}; allowed are question, answer, also")
        if key.value in fields:
            raise BadDocument(f"{where}: {key.value!r} stands twice in one entry")
        listed = value.value if key.value == "also" and isinstance(value, SequenceNode) else [value]
        if not all(isinstance(node, ScalarNode) and str(node.value).strip() for node in listed):
            raise BadDocument(f"{where}: {key.value!r} must be text")
        fields[key.value] = tuple(str(node.value).strip() for node in listed)
    if "question" not in fields or "answer" not in fields:
        raise BadDocument(f"line {line}: an entry needs both question and answer")
    yield from question_and_answer(fields["question"][0], fields["answer"][0], fields.get("also", ()))


def question_and_answer(question: str, answer: str, also: tuple[str, ...]) -> Iterator[Draft]:
    """One passage, or several where the answer is long; each knows the whole answer."""
    if size(answer) <= _WHOLE:
        yield Draft((question,), answer, answer, also)
        return
    lines = [line for line in answer.split("\n") if line.strip()]
    blocks = tuple(Block(tuple(piece.strip() for piece in sentences(line)), None) for line in lines)
    for draft in pack(Section((question,), blocks)):
        yield Draft(draft.heading, draft.text, answer, also)


READERS: dict[str, Callable[[str, str], Iterator[Draft]]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _plain,
    ".csv": _csv,
    ".yaml": _yaml,
    ".yml": _yaml,
}

"""YAML 1.2 text → a tree of values with their places, within fixed bounds of work.

Only plain data gets through: anchors, aliases, tags, directives and further documents are faults.
"""

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner

from bot.personas.positions import Node, Scalar
from bot.personas.problems import TOP, Problems, Spot
from bot.personas.syntax import explain

MAX_DEPTH = 24
MAX_WORK = 15_000  # steps, below 0.1 s on one core: some thousand values, or 3,000 lines of one text
_EVENT_WORK = 10
_LONG_DIGITS = 18

CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"[-+]?[0-9]+")
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _Stop(YAMLError):
    """The bounds are reached: `key` of the catalogue, at `spot`."""

    def __init__(self, key: str, spot: Spot) -> None:
        super().__init__(key)
        self.key = key
        self.spot = spot


class _BoundedReader(Reader):
    """Counts the parser's steps, so that no text of the allowed size keeps it busy for long."""

    work = 0

    def forward(self, length: int = 1) -> None:
        self.work += 1
        if self.work > MAX_WORK:
            raise _Stop("too-complex", Spot(self.line + 1, self.column + 1))
        super().forward(length)


class _BoundedScanner(Scanner):
    """Stops before the look-ahead at nested brackets, whose cost grows with the square of their depth."""

    def fetch_more_tokens(self) -> Any:
        found = super().fetch_more_tokens()
        if self.flow_level + len(self.indents) > MAX_DEPTH:
            raise _Stop("too-deep", Spot(self.reader.line + 1, self.reader.column + 1))
        return found


def parse(text: str, problems: Problems) -> Node | None:
    """The root of the document; None where it is empty or no YAML, which `problems` then tells."""
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.Reader = _BoundedReader
    yaml.Scanner = _BoundedScanner
    tree = _Tree(problems, yaml)
    try:
        return tree.build(text)
    except _Stop as stop:
        problems.add(stop.key, stop.spot, limit=MAX_DEPTH)
    except MarkedYAMLError as error:
        explain(error, problems)
    except ValueError:  # an escape beyond the last character of Unicode
        problems.add("syntax.escape", tree.last)
    except YAMLError as error:
        problems.add("syntax", tree.last, detail=error)
    return None


class _Frame:
    """A list or mapping whose end has not come yet."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key: tuple[str, Spot] | None = None


class _Tree:
    """Builds nodes from the parser's events."""

    def __init__(self, problems: Problems, yaml: Any) -> None:
        self._problems = problems
        self._yaml = yaml
        self._root: Node | None = None
        self._frames: list[_Frame] = []
        self.last = TOP

    def build(self, text: str) -> Node | None:
        documents = 0
        for event in self._yaml.parse(text):
            self._yaml.reader.work += _EVENT_WORK
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._problems.add("several-documents", _spot(event.start_mark))
                    break
                if event.version or event.tags:
                    self._problems.add("directive", TOP)
            elif isinstance(event, SequenceEndEvent | MappingEndEvent):
                node = self._frames.pop().node
                node.end = event.end_mark.index
                self._put(node, "")
            elif isinstance(event, AliasEvent | ScalarEvent | SequenceStartEvent | MappingStartEvent):
                self._begin(event)
        if self._root is None or self._root.value is None:
            self._problems.add("empty", TOP)
            return None
        return self._root

    def _begin(self, event: Any) -> None:
        spot = self.last = _spot(event.start_mark)
        if isinstance(event, AliasEvent) or event.anchor is not None:
            self._problems.add("alias", spot)
        elif event.ctag is not None:
            self._problems.add("tag", spot)
        node = Node(spot, event.start_mark.index, event.end_mark.index, "")
        if isinstance(event, ScalarEvent):
            odd = CONTROL.search(event.value)
            if odd is not None:
                self._problems.add("control-character", spot, number=f"{ord(odd.group()):04X}")
            node.value = _scalar(event)
            self._put(node, event.value)
        elif isinstance(event, AliasEvent):
            self._put(node, "")
        elif len(self._frames) >= MAX_DEPTH:
            raise _Stop("too-deep", spot)
        else:
            node.value = [] if isinstance(event, SequenceStartEvent) else {}
            self._frames.append(_Frame(node))

    def _put(self, node: Node, text: str) -> None:
        """Hand a finished node (written as `text`, where a scalar) to the list or mapping around it."""
        if not self._frames:
            self._root = node
            return
        frame = self._frames[-1]
        around = frame.node.value
        if isinstance(around, list):
            around.append(node)
        elif isinstance(around, dict) and frame.key is None:
            self._take_key(frame, node, text)
        elif isinstance(around, dict) and frame.key is not None:
            key, spot = frame.key
            frame.key = None
            if node.begin == node.end:  # the parser places an empty value where the next token begins
                node.spot = spot
            if key not in around:
                around[key] = node
                frame.node.keys[key] = spot

    def _take_key(self, frame: _Frame, node: Node, text: str) -> None:
        frame.key = (text, node.spot)
        first = frame.node.keys.get(text)
        if isinstance(node.value, list | dict):
            self._problems.add("bad-key", node.spot)
        elif first is not None:
            self._problems.add("duplicate-key", node.spot, key=text, line=first.line)


def _spot(mark: Any) -> Spot:
    return Spot(mark.line + 1, mark.column + 1)


def _scalar(event: Any) -> Scalar:
    """The value of a scalar by the core schema of YAML 1.2; only plain ones are anything but text."""
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= _LONG_DIGITS else float(text)
    if _RADIX.fullmatch(text) and len(text) <= _LONG_DIGITS:
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NO_FLOAT.fullmatch(text):
        return float(text.replace(".", ""))
    return text

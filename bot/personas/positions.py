"""A YAML value that knows where it stands in its file."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.personas.problems import Spot

Scalar = str | int | float | bool | None
Path = Sequence[str | int]

_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True)
class Node:
    """A scalar, a list of nodes or a mapping of nodes. `begin` and `end` are its offsets in the text."""

    spot: Spot
    begin: int
    end: int
    value: "Scalar | list[Node] | dict[str, Node]"
    keys: dict[str, Spot] = field(default_factory=dict)

    def plain(self) -> object:
        """The value without places; lists become tuples."""
        if isinstance(self.value, list):
            return tuple(item.plain() for item in self.value)
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return self.value

    def at(self, path: Path) -> "Node | None":
        """The node under `path`, None where there is none."""
        node: Node = self
        for step in path:
            child: Node | None = None
            if isinstance(node.value, dict) and isinstance(step, str):
                child = node.value.get(step)
            elif isinstance(node.value, list) and isinstance(step, int):
                child = node.value[step]
            if child is None:
                return None
            node = child
        return node

    def key_spot(self, path: Path) -> Spot:
        """Where the last key of `path` stands; for an item of a list, where the item stands."""
        parent = self.at(path[:-1])
        step = path[-1]
        if parent is not None and isinstance(step, str) and step in parent.keys:
            return parent.keys[step]
        node = self.at(path)
        return node.spot if node is not None else self.spot


class Lines:
    """Turns offsets of a text into lines and columns."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def spot(self, offset: int) -> Spot:
        line = bisect_right(self._starts, offset)
        return Spot(line, offset - self._starts[line - 1] + 1)

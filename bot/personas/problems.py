"""A fault of a persona file at its place, and the list they are gathered in."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

from bot.personas.messages import Language, Severity, sentence, severity_of

_SHOWN = 50
_CLIP = 120


class Spot(NamedTuple):
    """A place in a file: line and column from 1, columns in characters."""

    line: int
    column: int


TOP = Spot(1, 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `str(problem)` is its line for a person: `path:line:column: severity[code] message`."""

    path: str
    line: int
    column: int
    code: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.severity}[{self.code}] {self.message}"


class Problems:
    """Gathers the faults of one file, in one language."""

    def __init__(self, path: str, language: Language) -> None:
        self.path = path
        self.language = language
        self._found: dict[Problem, None] = {}

    def add(self, key: str, spot: Spot, /, **fields: object) -> None:
        """Note the fault `key` (a code, or code.variant of the catalogue) at `spot`; the same twice counts once."""
        code = key.partition(".")[0]
        message = self.say(key, **{name: clip(value) for name, value in fields.items()})
        self._found[Problem(self.path, spot.line, spot.column, code, message, severity_of(code))] = None

    def say(self, key: str, /, **fields: object) -> str:
        return sentence(key, self.language, **fields)

    def near(self, word: str, known: list[str]) -> str:
        """The hint at the known word nearest to `word`; empty where none is near, or past the faults shown."""
        near = get_close_matches(word[:_CLIP], known, n=1) if len(self._found) < _SHOWN else []
        return self.say("hint.near", near=near[0]) if near else ""

    @property
    def spots(self) -> frozenset[Spot]:
        return frozenset(Spot(problem.line, problem.column) for problem in self._found)

    @property
    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self._found)

    def all(self) -> tuple[Problem, ...]:
        """In the order of the file; past the first 50 only their number."""
        ordered = sorted(self._found, key=lambda problem: (problem.line, problem.column))
        shown = sorted(ordered, key=lambda problem: problem.severity != "error")[:_SHOWN]
        if len(shown) == len(ordered):
            return tuple(ordered)
        shown.sort(key=lambda problem: (problem.line, problem.column))
        last = shown[-1]
        rest = self.say("more-faults", count=len(ordered) - len(shown))
        return (*shown, Problem(self.path, last.line, last.column, "more-faults", rest, "note"))


def clip(value: object) -> str:
    """`value` on one line and short enough for a message."""
    text = " ".join(str(value).encode("utf-8", "replace").decode().split())
    return text if len(text) <= _CLIP else text[: _CLIP - 1] + "…"

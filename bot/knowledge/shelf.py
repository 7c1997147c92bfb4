"""One source's files, passages and index; reads again only what changed."""

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path

from bot.knowledge.documents import BadDocument, read
from bot.knowledge.files import Found, Limits, Problem, load, scan
from bot.knowledge.index import Entry, Index, entry


@dataclass(slots=True)
class _File:
    signature: tuple[int, int, int, int]
    digest: str
    entries: tuple[Entry, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What one look at a source found: files read anew, files gone, and all problems as they stand."""

    read: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """An index, and for each of its entries the file it stands in and its number there."""

    index: Index
    places: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Shelf:
    """Not thread-safe: one `update` at a time. `view` is replaced whole, so searches need no lock."""

    path: Path
    limits: Limits
    view: View = field(default_factory=lambda: View(Index(())))
    problems: tuple[Problem, ...] = ()
    _files: dict[str, _File] = field(default_factory=dict)

    def update(self) -> Change:
        """Look at the source, read what changed, rebuild the index where anything did. Blocks: call in a thread."""
        found = scan(self.path, self.limits)
        until = time.monotonic() + self.limits.seconds
        fresh: list[str] = []
        files: dict[str, _File] = {}
        for name, each in found.files.items():
            known = self._files.get(name)
            if known is not None and known.signature == each.signature:
                files[name] = known
            elif time.monotonic() > until:
                found.problems[name] = f"left out: the source took more than {self.limits.seconds:g} s to read"
            else:
                files[name], changed = self._read(name, each, known)
                fresh += [name] if changed else []
        gone = tuple(name for name in self._files if name not in files)
        found.problems.update({name: file.problem for name, file in files.items() if file.problem})
        self._files = files
        self.problems = tuple(Problem(name, reason) for name, reason in sorted(found.problems.items()))
        if fresh or gone:
            self._rebuild()
        return Change(tuple(fresh), gone, self.problems)

    def _read(self, name: str, found: Found, known: _File | None) -> tuple[_File, bool]:
        try:
            data = load(found, self.limits)
            digest = hashlib.sha256(data).hexdigest()
            if known is not None and known.digest == digest:
                return _File(found.signature, digest, known.entries, known.problem), False
            return _File(found.signature, digest, tuple(map(entry, read(found.path.name, data)))), True
        except BadDocument as error:
            return _File(found.signature, "", (), str(error)), True

    def _rebuild(self) -> None:
        names = sorted(self._files)
        index = Index([each for name in names for each in self._files[name].entries])
        places = tuple((name, number) for name in names for number in range(len(self._files[name].entries)))
        self.view = View(index, places)

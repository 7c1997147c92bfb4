"""The knowledge of all personas: implements `bot.ports.Knowledge`."""

import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.knowledge.chinese import prepare
from bot.knowledge.files import Limits, Problem
from bot.knowledge.guard import SentenceGuard
from bot.knowledge.quoting import quotation
from bot.knowledge.shelf import Change, Shelf, View
from bot.language import language_of
from bot.ports import Guard
from bot.types import Answer, KnowledgeSource, Passage, Persona

_URGENT = re.compile(r"\bemergency (?:number|services)\b|急救电话", re.IGNORECASE)

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What `Library.refresh` did: files read anew and gone, by path, and every problem as it stands now."""

    read: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class Library:
    """Holds one index a source, whoever uses it.

    `search` looks whether files changed (at most once in `look_again` seconds a source) and reads those that did,
    so that an edit counts from the next turn on; `refresh` does it at once. Reading, indexing and searching run in
    threads; the event loop stays free.
    """

    def __init__(self, *, limits: Limits | None = None, look_again: float = 1.0) -> None:
        self._limits = limits or Limits()
        self._look_again = look_again
        self._shelves: dict[Path, _Kept] = {}

    async def refresh(self, personas: Iterable[Persona]) -> Refreshed:
        """Bring the index of every source of these personas up to date; drop sources that none of them has."""
        sources = {source.path: source for persona in personas for source in persona.knowledge}
        self._shelves = {path: kept for path, kept in self._shelves.items() if path in sources}
        changes = [(source.label, await self._kept(source).update(source.label)) for source in sources.values()]
        return Refreshed(
            tuple(_place(label, name) for label, change in changes for name in change.read),
            tuple(_place(label, name) for label, change in changes for name in change.gone),
            tuple(
                Problem(_place(label, each.path), each.reason) for label, found in changes for each in found.problems
            ),
        )

    async def search(self, persona: Persona, question: str) -> tuple[Passage, ...]:
        """The best passages of the persona's sources, best first; scores are 0…1 and compare between sources.

        A source brings at most its `top_k`, all together at most the largest. What the library itself holds
        for irrelevant never comes (see `index.RELEVANT`); a source's `min_score` can only ask for more.
        """
        if not persona.knowledge or not question.strip():
            return ()
        chinese = language_of(question, persona.languages).lower().startswith("zh")
        shelves: list[tuple[KnowledgeSource, View]] = []
        for source in persona.knowledge:
            kept = self._kept(source)
            if time.monotonic() - kept.looked >= self._look_again:
                await kept.update(source.label)
            shelves.append((source, kept.shelf.view))
        if any(tag.lower().startswith("zh") for tag in persona.languages):
            await asyncio.to_thread(prepare)  # before the guard, which works in the event loop, needs it
        found = await asyncio.to_thread(_search, shelves, question, chinese)
        return _emergencies_first(found) if persona.policy == "health" else found

    def guard(self, persona: Persona, question: str, passages: Sequence[Passage]) -> Guard:
        return SentenceGuard(persona, question, passages)

    def quote(self, persona: Persona, question: str, passages: Sequence[Passage], *, locale: str | None) -> Answer:
        return quotation(persona, question, passages, locale=locale)

    def _kept(self, source: KnowledgeSource) -> "_Kept":
        return self._shelves.setdefault(source.path, _Kept(Shelf(source.path, self._limits)))


class _Kept:
    """A shelf with the time of its last look and the lock that lets one task update it."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.looked = float("-inf")
        self._lock = asyncio.Lock()
        self._warned: frozenset[Problem] = frozenset()

    async def update(self, label: str) -> Change:
        called = time.monotonic()
        async with self._lock:
            if self.looked > called:
                return Change(problems=self.shelf.problems)
            change = await asyncio.to_thread(self.shelf.update)
            self.looked = time.monotonic()
        problems = frozenset(change.problems)
        for problem in change.problems:
            if problem not in self._warned:
                log.warning("knowledge left out", path=_place(label, problem.path), reason=problem.reason)
        self._warned = problems
        return change


def _search(shelves: Sequence[tuple[KnowledgeSource, View]], question: str, chinese: bool) -> tuple[Passage, ...]:
    found: list[Passage] = []
    for source, view in shelves:
        for hit in view.index.search(question, chinese=chinese, top=source.top_k):
            if hit.score < source.min_score:
                continue
            name, number = view.places[hit.number]
            path = _place(source.label, name)
            draft = view.index.entries[hit.number].draft
            found.append(
                Passage(
                    id=f"{path}#{number + 1}",
                    text=draft.text,
                    path=path,
                    heading=draft.heading,
                    answer=draft.answer,
                    score=hit.score,
                )
            )
    found.sort(key=lambda passage: -passage.score)
    return tuple(found[: max((source.top_k for source, _ in shelves), default=0)])


def _emergencies_first(found: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Of passages about equally near, those that tell the reader to call for help come first."""
    near = max((passage.score for passage in found), default=0.0) * 0.8
    return tuple(sorted(found, key=lambda passage: not (_URGENT.search(passage.text) and passage.score >= near)))


def _place(label: str, name: str) -> str:
    return f"{label.rstrip('/')}/{name}" if name else label

"""Passages of one source, found by BM25 and judged by how much of the question they cover."""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.knowledge.chinese import weight
from bot.knowledge.passages import Draft
from bot.knowledge.query import Query, against
from bot.knowledge.wanted import answered
from bot.knowledge.words import han_share, index_keys, is_anything, is_topic, normal, searchable, words
from bot.language import is_han

RELEVANT = 0.3  # what scores less is not about the question: measured on questions from other worlds
UNKNOWN = 0.38  # likewise where the index does not know the question's most telling word
_CANDIDATES = 60
_PARTS = re.compile(r"(?<=[?？])|[:：，]")  # a heading may hold a question and more
_EVERYWHERE = 0.25
_ANYTHING = 0.5  # so much a thing of the question counts where the text speaks of any item
_BODY = 0.85  # a word of the question counts less in the text than in heading or question


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage ready for search: its keys in heading and text, and the questions it is the answer to."""

    draft: Draft
    head: frozenset[str]
    body: frozenset[str]
    keys: tuple[str, ...]
    asked: tuple[Mapping[str, float], ...]
    plain: str
    chinese: bool
    general: bool
    """Whether it speaks of items of any kind."""


def entry(draft: Draft) -> Entry:
    heading = " \n".join(draft.heading)
    head = index_keys("\n".join((heading, *draft.asked)))
    body = index_keys(draft.text)
    asked = tuple(map(_wording, (*_PARTS.split(draft.heading[-1]), *draft.asked)))
    head += [character for character in heading if is_han(character) and weight(character) >= 0.25]
    plain = normal(f"{heading}\n{draft.text}")
    chinese = han_share(draft.text) > 0.5
    general = any(map(is_anything, (*head, *body)))
    return Entry(draft, frozenset(head), frozenset(body), (*head, *body), asked, plain, chinese, general)


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry by its number in the index, with its score, 0…1."""

    number: int
    score: float


class Index:
    """Immutable once built; safe to search from several threads."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        self._numbers: dict[str, int] = {}
        rows = [[self._numbers.setdefault(key, len(self._numbers)) for key in each.keys] for each in self.entries]
        self._by_length = _by_length(self._numbers)
        self._everywhere = _everywhere(self.entries)
        self._ranker = _ranker(rows, self._numbers) if self._numbers else None

    def search(self, question: str, *, chinese: bool, top: int) -> list[Hit]:
        """The best entries, best first. Scores: the share of the question's telling words that the passage covers
        (rare words tell more), times 0.6 + 0.25 for its BM25 rank against the best + 0.15 for how closely one of
        its own questions or its heading matches; a third less where the passage says nothing of the kind that is
        wanted, a duration say. Nothing below `RELEVANT`, nor below half of the best; passages of the other language
        only where the question's own has none.
        """
        query = against(question, self._numbers, self._by_length, everywhere=self._everywhere)
        if self._ranker is None or not query.terms:
            return []
        ranks = self._ranks(query)
        if ranks is None:
            return []
        count = min(_CANDIDATES, len(ranks))
        candidates = np.argpartition(ranks, len(ranks) - count)[len(ranks) - count :]
        best_rank = float(ranks[candidates].max()) or 1.0
        wording = _wording(question)
        hits = []
        for number in sorted(candidates.tolist()):
            each = self.entries[number]
            score = coverage(query, each) * (
                0.6 + 0.25 * max(float(ranks[number]), 0.0) / best_rank + 0.15 * _likeness(wording, each.asked)
            )
            score *= 0.65 + 0.35 * answered(question, each.draft.text)
            if score >= (UNKNOWN if query.asks_unknown else RELEVANT):
                hits.append(Hit(number, min(1.0, score)))
        own = [hit for hit in hits if self.entries[hit.number].chinese == chinese]
        hits = self._first_parts(sorted(own or hits, key=lambda hit: -hit.score))[:top]
        return [hit for hit in hits if hit.score >= hits[0].score / 2]

    def _first_parts(self, hits: Sequence[Hit]) -> list[Hit]:
        """One hit an answer: the parts of a long one all know the whole."""
        seen: set[tuple[str, str]] = set()
        kept = []
        for hit in hits:
            draft = self.entries[hit.number].draft
            whole = (draft.heading[-1], draft.answer or draft.text)
            if whole not in seen:
                seen.add(whole)
                kept.append(hit)
        return kept

    def _ranks(self, query: Query) -> "np.ndarray[Any, np.dtype[np.float32]] | None":
        """BM25 of every entry; of the words that stand for one word of the question only the best counts."""
        total: np.ndarray[Any, np.dtype[np.float32]] | None = None
        ranker: Any = self._ranker
        for term in query.terms:
            best = None
            for key, factor in term.stands.items():
                if key in self._numbers:
                    scores = factor * ranker.get_scores_from_ids([self._numbers[key]])
                    best = scores if best is None else np.maximum(best, scores)
            if best is not None:
                total = best if total is None else total + best
        return total


def coverage(query: Query, each: Entry) -> float:
    """The share of the query's mass that a passage's words cover, 0…1.

    A passage about any item covers a thing that the index knows by half, but never more by that than by its own words.
    """
    covered = anything = 0.0
    for term in query.terms:
        best = 0.0
        for key, factor in term.stands.items():
            if key in each.head:
                best = max(best, factor)
            elif key in each.body:
                best = max(best, _BODY * factor)
        if best < _BODY and not term.key.isascii() and len(term.key) > 1 and term.key in each.plain:
            best = _BODY
        if best == 0 and each.general and term.stands and not is_topic(term.key):
            anything += _ANYTHING * term.weight
        covered += best * term.weight
    return min(1.0, (covered + min(anything, covered)) / query.mass)


def _wording(text: str) -> dict[str, float]:
    """The words of a question with function words too, which then tell a little: "where is it" is not "what is it"."""
    return {word.key: max(word.weight, 0.15) for word in words(searchable(text))}


def _likeness(wording: Mapping[str, float], asked: Iterable[Mapping[str, float]]) -> float:
    """How alike a question and the likest of an entry's own are, 0…1 (Dice)."""
    mine = sum(wording.values())
    return max(
        (
            2 * sum(weight for key, weight in wording.items() if key in each) / (mine + sum(each.values()))
            for each in asked
            if each
        ),
        default=0.0,
    )


def _everywhere(entries: Sequence[Entry]) -> frozenset[str]:
    """The keys that stand in more than every fourth entry of a language."""
    found: set[str] = set()
    for chinese in (False, True):
        own = [each for each in entries if each.chinese == chinese]
        counts = Counter(key for each in own for key in each.head | each.body)
        found.update(key for key, count in counts.items() if count > len(own) * _EVERYWHERE)
    return frozenset(found)


def _by_length(vocabulary: Iterable[str]) -> dict[int, list[str]]:
    table: dict[int, list[str]] = {}
    for word in vocabulary:
        if word.isascii() and word.isalpha():
            table.setdefault(len(word), []).append(word)
    return table


_importing = threading.Lock()


def _ranker(rows: list[list[int]], vocabulary: dict[str, int]) -> Any:
    with _importing:
        import bm25s  # noqa: PLC0415 - a quarter of a second that `parley --help` need not spend
    ranker = bm25s.BM25(method="lucene")
    ranker.index(bm25s.tokenization.Tokenized(ids=rows, vocab=vocabulary), show_progress=False)
    return ranker

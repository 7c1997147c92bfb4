"""A question as the index understands it: its telling words, each with what may stand for it."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.knowledge import chinese, english
from bot.knowledge.words import is_topic, searchable, synonyms, words
from bot.language import is_han

_SYNONYM = 0.8
_TYPO = 0.8
_CHARACTER = 0.5  # one character of a Chinese word that the index does not know
_TOPIC = 0.7  # the least that a word tells which matters are asked by: "return" tells as much as "lamp"
_ENOUGH = 2.5  # a question's words weigh fully up to here; what a talkative one adds beyond counts less


@dataclass(frozen=True, slots=True)
class Term:
    """A telling word; `stands` maps keys of the index to how well each stands for it, 0…1."""

    key: str
    written: str
    weight: float
    stands: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...]

    @property
    def mass(self) -> float:
        """What a passage would have to cover to be entirely about the question."""
        total = sum(term.weight for term in self.terms)
        return total if total <= _ENOUGH else _ENOUGH + 0.3 * (total - _ENOUGH)

    @property
    def asks_unknown(self) -> bool:
        """Whether nothing in the index stands for the most telling word."""
        return bool(self.terms) and not max(self.terms, key=lambda term: term.weight).stands


def plain(question: str) -> Query:
    """The question's words as they are, without an index: for comparing sentences of passages at hand."""
    return _query(question, lambda key: {key: 1.0} | dict.fromkeys(synonyms(key), _SYNONYM))


def against(
    question: str,
    vocabulary: Mapping[str, int],
    by_length: Mapping[int, Iterable[str]],
    *,
    everywhere: Container[str] = (),
) -> Query:
    """The question in the words of an index; a word that it does not know may be a slip of the pen.

    Words by which matters are asked tell at least `_TOPIC`, but for those that stand `everywhere` in the index.
    """

    def stands(key: str) -> dict[str, float]:
        found = {other: _SYNONYM for other in synonyms(key) if other in vocabulary}
        if key in vocabulary:
            found[key] = 1.0
        elif not found and not english.is_common(key):
            found = dict.fromkeys(_slips(key, by_length), _TYPO)
        for character in key if is_han(key[0]) and not found else "":
            if character in vocabulary and chinese.weight(character) >= 0.25:
                found[character] = _CHARACTER
        return found

    def telling(term: Term) -> Term:
        is_telling = is_topic(term.key) and term.key not in everywhere
        return replace(term, weight=max(term.weight, _TOPIC)) if is_telling else term

    return _with_compounds(Query(tuple(map(telling, _query(question, stands).terms))), vocabulary)


def _with_compounds(query: Query, vocabulary: Mapping[str, int]) -> Query:
    """Two words of a question may be one in the documents: "my nose is bleeding" finds nosebleed."""
    terms = list(query.terms)
    for place, (one, other) in enumerate(pairwise(query.terms)):
        whole = english.stem(one.written + other.written)
        if whole.isascii() and whole in vocabulary:
            terms[place] = replace(terms[place], stands={**terms[place].stands, whole: 1.0})
            terms[place + 1] = replace(other, stands={**other.stands, whole: 1.0})
    return Query(tuple(terms))


def _query(question: str, stands: Callable[[str], dict[str, float]]) -> Query:
    terms: dict[str, Term] = {}
    for word in words(searchable(question)):
        if word.weight <= 0 or word.key in terms:
            continue
        found = stands(word.key)
        if word.han and len(word.key) > 2:
            for part in chinese.search_words(word.key):
                if part != word.key and chinese.weight(part) > 0:
                    share = len(part) / len(word.key)
                    for key, factor in stands(part).items():
                        found[key] = max(found.get(key, 0.0), factor * share)
        terms[word.key] = Term(word.key, word.written.lower(), word.weight, found)
    return Query(tuple(terms.values()))


def _slips(key: str, by_length: Mapping[int, Iterable[str]]) -> list[str]:
    """Known words within one slip (a letter wrong, missing, doubled or swapped); two for long words.

    A short word with one letter wrong is more often another word (stock, stuck) than a slip.
    """
    if len(key) < 4 or not key.isascii() or not key.isalpha():
        return []
    allowed = 2 if len(key) >= 8 else 1
    lengths = range(len(key) - allowed, len(key) + allowed + 1)
    return [
        word
        for length in lengths
        for word in by_length.get(length, ())
        if (word[0] == key[0] or word[-1] == key[-1])
        and (length != len(key) or len(key) > 5 or sorted(word) == sorted(key))
        and distance(word, key, allowed) <= allowed
    ]


def distance(one: str, other: str, most: int) -> int:
    """Edit distance with swaps of neighbours; `most + 1` where it is greater than `most`."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if last and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]

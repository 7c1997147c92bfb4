"""Text → tokens: what the index, the search and the guard compare."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.knowledge import chinese, english
from bot.knowledge.synonyms import ANYTHING, PHRASES, SYNONYMS_EN, SYNONYMS_ZH, TOPICS
from bot.language import is_han

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_CHARACTER = re.compile(f"[{HAN}]")
_FIGURE = re.compile(r"[\d/+\s]+")
_RUN = re.compile(rf"[{HAN}]+|\d+(?:[.,:]\d+)+|[^\W_{HAN}]+(?:['’][^\W\d_{HAN}]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is compared (`key`), as it was written, and where (in the normalised text)."""

    key: str
    written: str
    start: int
    han: bool

    @property
    def weight(self) -> float:
        return key_weight(self.key)


def normal(text: str) -> str:
    """Full-width digits and letters become plain ones (NFKC)."""
    return unicodedata.normalize("NFKC", text)


def words(text: str) -> Iterator[Word]:
    """The words of a normalised text in order, without overlap."""
    for match in _RUN.finditer(text):
        run, start = match.group(), match.start()
        if is_han(run[0]):
            for word in chinese.words(run):
                yield Word(word, word, start, True)
                start += len(word)
        else:
            yield Word(english.stem(run.lower()), run, start, False)


def searchable(text: str) -> str:
    """Normalised, with the one word for phrases and signs that are asked for by it; figures stay beside theirs."""
    return PHRASES.sub(_one_word, normal(text)).replace("%", " percent ")


def _one_word(match: re.Match[str]) -> str:
    kept = "".join(_FIGURE.findall(match.group()))
    return f" {kept} {match.lastgroup} "


def index_keys(text: str) -> list[str]:
    """The keys under which a text is found: its words, long Chinese ones also in their parts."""
    keys: list[str] = []
    for match in _RUN.finditer(searchable(text)):
        run = match.group()
        if is_han(run[0]):
            keys.extend(word for word in chinese.search_words(run) if chinese.weight(word) > 0)
        else:
            key = english.stem(run.lower())
            if not english.is_stop(key):
                keys.append(key)
    return keys


def key_weight(key: str) -> float:
    """How much a key tells, 0…1."""
    if is_han(key[0]):
        return chinese.weight(key)
    return 0.6 if key[0].isdigit() else english.weight(key)


_STEMMED = {
    english.stem(word): frozenset(map(english.stem, others)) - {english.stem(word)}
    for word, others in SYNONYMS_EN.items()
}


_TOPICS = frozenset(english.stem(word) for word in TOPICS)
_ANYTHING = frozenset(english.stem(word) for word in ANYTHING)


def is_topic(key: str) -> bool:
    return key in _TOPICS


def is_anything(key: str) -> bool:
    """Whether a text with this word speaks of any thing, whatever it is called."""
    return key in _ANYTHING


def synonyms(key: str) -> frozenset[str]:
    return SYNONYMS_ZH.get(key, frozenset()) | _STEMMED.get(key, frozenset())


def han_share(text: str) -> float:
    """The share of Han characters among Han characters and Latin words."""
    han = len(_HAN_CHARACTER.findall(text))
    latin = sum(1 for match in _RUN.finditer(text) if not is_han(match.group()[0]) and not match.group()[0].isdigit())
    return han / (han + latin) if han or latin else 0.0


def size(text: str) -> float:
    """How much of a passage's room a text takes; 1 is about 70 English words or 130 Han characters."""
    han = len(_HAN_CHARACTER.findall(text))
    other = sum(1 for match in _RUN.finditer(text) if not is_han(match.group()[0]))
    return han / 130 + other / 70

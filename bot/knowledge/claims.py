"""What a sentence claims: the numbers, names, addresses and rare words that something must support."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.knowledge import chinese, english
from bot.knowledge.evidence import ADDRESS, Evidence
from bot.knowledge.numerals import Number
from bot.knowledge.stopwords import COURTESY
from bot.knowledge.words import Word, normal

# A word is rare beyond the 600 commonest of the English list, or below 6,000 occurrences in jieba's dictionary.
# Measured on the built-in texts, one word of a true sentence put in place of another: 72 % of the English and 89 % of
# the Chinese swaps are refused (55 % and 50 % with 1,200 and 2,000), for 2 of 24 right paraphrases refused more.
# Where the persona only prefers its material, a model may talk more freely.
_COMMON_EN = {True: 600, False: 2_600}
_COMMON_ZH = {True: 6_000, False: 1_000}
_LIST_MARKER = re.compile(r"^\s*(?:[-*•+]\s+|#{1,6}\s+|\(?\d{1,3}[.)、．]\s*(?!\d)|>\s*)+")
_CITATION = re.compile(r"\[\d{1,2}\]")
_BOLD = re.compile(r"\*\*|__|`+")
_OPENERS = "\"'“‘(（「『:：-–—•|/\n"


@dataclass(frozen=True, slots=True)
class Claims:
    """A sentence taken apart. `evidence` is its own text, without list marker, citation marks and emphasis."""

    evidence: Evidence
    numbers: tuple[Number, ...]
    addresses: tuple[str, ...]
    names: tuple[Word, ...]
    content: tuple[Word, ...]

    @property
    def is_question(self) -> bool:
        return self.evidence.text.rstrip(" \t\n\"'”’」』）)*_").endswith("?")


def claims(sentence: str) -> Claims:
    text = normal(_CITATION.sub("", _BOLD.sub("", sentence)))
    text = _LIST_MARKER.sub("", text)
    addresses = tuple(match.group().rstrip(".,;:!?") for match in ADDRESS.finditer(text))
    bare = Evidence(ADDRESS.sub(" ", text))
    content = tuple(word for word in bare.words if _tells(word) and not _is_counted(word, bare.numbers))
    names = tuple(_names(bare))
    return Claims(Evidence(text), bare.numbers, addresses, names, content)


def _tells(word: Word) -> bool:
    return not word.key[0].isdigit() and word.weight > 0 and word.written.lower() not in COURTESY


def _is_counted(word: Word, found: tuple[Number, ...]) -> bool:
    """Whether the word is part of a number: those are compared by value."""
    return any(word.start < number.end and number.start < word.start + len(word.written) for number in found)


def is_rare(word: Word, *, strict: bool) -> bool:
    """Whether a word is too special to be part of just any sentence."""
    if word.han:
        return len(word.key) > 1 and chinese.occurrences(word.key) < _COMMON_ZH[strict]
    return not english.is_common(word.key, within=_COMMON_EN[strict])


def _names(sentence: Evidence) -> Iterator[Word]:
    """Capitalised words within a sentence, codes like `E27`, and Latin words in Chinese text.

    A line in which nearly every word is capitalised is a heading: it names nothing by that.
    """
    latin = [word for word in sentence.words if not word.han and not word.key[0].isdigit()]
    capital = [word for word in latin if word.written[0].isupper()]
    chinese_text = len(latin) < len(sentence.words) / 2
    heading = len(latin) > 1 and len(capital) >= 0.75 * len(latin)
    for word in latin:
        if any(character.isdigit() for character in word.written) or chinese_text:
            yield word
        elif word in capital and not heading and not english.is_stop(word.key):
            before = sentence.text[: word.start].rstrip(" ")
            if before and before[-1] not in _OPENERS and before[-1] not in ".!?…":
                yield word

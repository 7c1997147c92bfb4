"""Whether an answer is the right one: exact match and token F1 as in SQuAD (Rajpurkar et al., EMNLP 2016), with Chinese
taken character by character.

Case, articles, punctuation and white space do not count; a point or comma inside a number does: 5.50 is not 550.
"""

import re
import unicodedata
from collections import Counter

from bot.language import is_han

_RUNS = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_ARTICLES = frozenset(("a", "an", "the"))


def tokens(text: str) -> list[str]:
    """The words of a text, each Han character one of them."""
    found: list[str] = []
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        part = ""
        for character in run:
            if is_han(character):
                found += [part, character] if part else [character]
                part = ""
            else:
                part += character
        if part:
            found.append(part)
    return [word for word in found if word not in _ARTICLES]


def exact(said: str, right: str) -> bool:
    return tokens(said) == tokens(right)


def f1(said: str, right: str) -> float:
    """The harmonic mean of the shares of words that both have; 1 for two empty texts."""
    mine, wanted = tokens(said), tokens(right)
    if not mine or not wanted:
        return float(mine == wanted)
    same = sum((Counter(mine) & Counter(wanted)).values())
    return 2 * same / (len(mine) + len(wanted))


def answer_part(said: str, right: str) -> str:
    """As many lines of what was said as the right answer has: a disclaimer below it is no part of it."""
    return "\n".join(said.strip().split("\n")[: right.strip().count("\n") + 1])

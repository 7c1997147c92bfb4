"""Puts `[email]`, `[phone]`, `[card]` and `[name]` in the place of what tells who people are."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

from bot.knowledge.english import is_common, stem
from bot.language import is_han

Kind = Literal["email", "card", "phone", "name"]
Span = tuple[int, int, Kind, str]
"""Where a personal item begins and ends, its kind, and its value in one spelling."""

REGIONS = ("CN", "HK", "TW", "SG", "US", "GB", "DE", "FR", "IN", "AU")
"""Where a number without its country code may be from."""

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+[@＠](?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_DIGITS = re.compile(r"\d(?:[ \-./()]{0,2}\d)+")
_LEAST_NAME = 2  # characters
_LEAST_PHONE = 6  # digits


class Mask:
    """Masks the texts of one chat alike: the same item gets the same mask, a second one of its kind a number.

    Addresses and numbers that stand in `public`, the persona's own material, stay. `counts` says what was masked.
    """

    def __init__(self, *, names: Sequence[str], public: str) -> None:
        self.counts: Counter[Kind] = Counter()
        self._names = [pattern for name in names for pattern in _patterns(name)]
        self._given: dict[tuple[Kind, str], str] = {}
        self._numbers = {_bare(found.group()) for found in _DIGITS.finditer(public)}
        self._known = {(kind, value) for _, _, kind, value in _items(public)}

    def __call__(self, text: str) -> str:
        pieces: list[str] = []
        end = 0
        for first, last, kind, value in self._personal(text):
            pieces += text[end:first], self._masked(kind, value)
            end = last
        return "".join((*pieces, text[end:]))

    def name(self, name: str) -> str:
        """The mask that stands for an author; empty where there is none."""
        return self._masked("name", _key(name)) if name.strip() else ""

    def _personal(self, text: str) -> Iterator[Span]:
        """What is to be masked, in order, nothing twice. Of two that overlap the earlier and longer one counts."""
        found: list[Span] = [item for item in _items(text) if not self._is_public(text, item)]
        found += [(m.start(), m.end(), "name", whole) for whole, name in self._names for m in name.finditer(text)]
        end = 0
        for item in sorted(found, key=lambda item: (item[0], -item[1])):
            if item[0] >= end:
                yield item
                end = item[1]

    def _is_public(self, text: str, item: Span) -> bool:
        first, last, kind, value = item
        return (kind, value) in self._known or (kind != "email" and _bare(text[first:last]) in self._numbers)

    def _masked(self, kind: Kind, value: str) -> str:
        if (kind, value) not in self._given:
            self.counts[kind] += 1
            number = sum(given == kind for given, _ in self._given) + 1
            self._given[kind, value] = f"[{kind}]" if number == 1 else f"[{kind} {number}]"
        return self._given[kind, value]


def _items(text: str) -> Iterator[Span]:
    for found in _EMAIL.finditer(text):
        yield (*found.span(), "email", found.group().replace("＠", "@").casefold())
    numbers = [(found.span(), _bare(found.group())) for found in _DIGITS.finditer(text)]
    for (first, last), digits in numbers:
        if _is_card(digits):
            yield first, last, "card", digits
    for region in REGIONS if any(len(digits) >= _LEAST_PHONE for _, digits in numbers) else ():
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
            yield match.start, match.end, "phone", format_number(match.number, PhoneNumberFormat.E164)


def _is_card(digits: str) -> bool:
    """13 to 19 digits whose check digit is right (Luhn, ISO/IEC 7812-1)."""
    if not 13 <= len(digits) <= 19:
        return False
    doubled = (int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _bare(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def _patterns(name: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The whole name in any case, and its parts. A part that is an everyday word counts only with its capital."""
    whole = " ".join(name.split())
    for part in dict.fromkeys((whole, *re.split(r"[\s._-]+", whole))):
        if len(part) < _LEAST_NAME:
            continue
        everyday = is_common(stem(part.casefold()))
        if part != whole and everyday and not part[:1].isupper():
            continue
        bounds = ("", "") if is_han(part[0]) else (r"(?<![^\W\d_])", r"(?![^\W\d_])")
        flags = re.IGNORECASE if not everyday else re.NOFLAG
        yield _key(name), re.compile(bounds[0] + re.escape(part) + bounds[1], flags)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()

"""Sentences of English and Chinese text, also while it is still being written."""

import re

from bot.knowledge.stopwords import word_set

_ENDS_HAN = "。！？"
_ENDS = ".!?…"
_CLOSERS = "\"'”’」』）)]】》*_"
_BREAK_AFTER = 400  # a sentence longer than this is cut at the next pause, one of twice this anywhere
_PAUSES = frozenset(",;:，；：、 ")
_ABBREVIATIONS = word_set("mr mrs ms dr prof sr jr st vs approx appr fig nr vol ca cf e.g i.e dept est ext tel pp p")
_MAY_END = word_set("no etc a.m p.m u.s u.k inc ltd co jan feb mar apr jun jul aug sep sept oct nov dec")
_LAST_WORD = re.compile(r"[^\s(（\"“]*$")
_MARKER = re.compile(r"\s*(?:\d{1,3}|[A-Za-z])$")


class Splitter:
    """Cuts a growing text into sentences. What it returns joins to the text; chunking makes no difference.

    A line break ends a sentence; decimals, abbreviations, initials and list numbers do not. White space before a
    sentence belongs to it.
    """

    def __init__(self) -> None:
        self._text = ""
        self._ended = False

    def feed(self, text: str) -> list[str]:
        """The sentences that are complete now."""
        done: list[str] = []
        for character in text:
            if self._ended and self._goes_on(character):
                self._ended = False
            elif self._ended and not self._belongs(character):
                done.append(self._cut(at_space=True))
            self._text += character
            if character == "\n" and self._text.strip():
                done.append(self._cut(at_space=False))
            elif character in _ENDS_HAN or (character in _ENDS and not self._is_inner()):
                self._ended = True
            elif len(self._text) > _BREAK_AFTER and character in _PAUSES and not self._ended:
                done.append(self._cut(at_space=False))
            if len(self._text) >= 2 * _BREAK_AFTER:
                done.append(self._cut(at_space=False))
        return [piece for piece in done if piece]

    def rest(self) -> str:
        """What is left when the text is over."""
        return self._cut(at_space=False)

    def _belongs(self, character: str) -> bool:
        """Whether a character after an end still belongs to it: further marks, closing quotes, white space."""
        if character in " \t":
            return True
        return not self._text.endswith((" ", "\t")) and character in _ENDS_HAN + _ENDS + _CLOSERS

    def _goes_on(self, character: str) -> bool:
        """Whether what looked like an end was none: `3.5`, `example.com`, `approx. five`."""
        body = self._text.rstrip(" \t")
        spaced = len(body) < len(self._text)
        last = body.rstrip(_CLOSERS)[-1:]
        if last != ".":
            return last in "!?…" and not spaced and character.isalnum() and character.isascii()
        if not spaced:
            return (character.isalnum() and character.isascii()) or character in ",;:/-@"
        return character.islower() or (character.isdigit() and self._last_word(body) in _MAY_END)

    def _is_inner(self) -> bool:
        """Whether the final full stop belongs to an abbreviation, an initial or a list number."""
        body = self._text.rstrip(_CLOSERS)
        if not body.endswith("."):
            return False
        if _MARKER.fullmatch(body[:-1].lstrip("\n -*")):
            return True
        last = self._last_word(body)
        return last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha() and last != "i")

    @staticmethod
    def _last_word(body: str) -> str:
        found = _LAST_WORD.search(body.rstrip(_CLOSERS)[:-1])
        return found.group().lower() if found else ""

    def _cut(self, *, at_space: bool) -> str:
        text, self._text, self._ended = self._text, "", False
        if not at_space:
            return text
        body = text.rstrip(" \t")
        self._text = text[len(body) :]
        return body


def sentences(text: str) -> list[str]:
    """The sentences of a whole text; they join to it."""
    splitter = Splitter()
    found = splitter.feed(text)
    rest = splitter.rest()
    return [*found, rest] if rest else found

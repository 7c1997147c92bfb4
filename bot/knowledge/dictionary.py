"""jieba's dictionary, of which only what is looked up is read: whole it takes a second and 60 MB of each process."""

import re
from collections.abc import Iterator, Mapping

import numpy as np

_COUNT = re.compile(r" (\d+) ")


class Dictionary(Mapping[str, int]):
    """How often each word was counted, and 0 for what only begins a word: what `jieba.Tokenizer.FREQ` holds.

    Words are read by their first character, once one with that character is asked for. Safe to use from several
    threads: what two of them read at once is the same.
    """

    def __init__(self, text: str) -> None:
        """`text` has a word, its count and its kind on each line."""
        self._text = text
        self._places = _places(text)
        self._known: dict[str, dict[str, int]] = {}

    def total(self) -> int:
        """Of all counts."""
        return sum(map(int, _COUNT.findall(self._text)))

    def __getitem__(self, word: str) -> int:
        first = word[:1]
        known = self._known.get(first)
        if known is None:
            known = self._known[first] = self._read(first)
        return known[word]

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.get(word) is not None

    def __iter__(self) -> Iterator[str]:
        for first in self._places:
            yield from self._read(first)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self, first: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for start, end in self._places.get(first, ()):
            parts = self._text[start:end].split()
            words = parts[::3]
            for size in range(1, max(map(len, words))):
                for beginning in {word[:size] for word in words if len(word) > size}:
                    counts.setdefault(beginning, 0)
            counts.update(zip(words, map(int, parts[1::3]), strict=True))
        return counts


def _places(text: str) -> dict[str, list[tuple[int, int]]]:
    """The stretches of lines that begin with each character."""
    characters = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    starts = np.concatenate(([0], np.flatnonzero(characters == ord("\n")) + 1))
    starts = starts[starts < len(characters)]
    firsts = characters[starts]
    changes = np.concatenate(([0], np.flatnonzero(firsts[1:] != firsts[:-1]) + 1))
    begins = starts[changes].tolist()
    places: dict[str, list[tuple[int, int]]] = {}
    for code, start, end in zip(firsts[changes].tolist(), begins, [*begins[1:], len(text)], strict=True):
        places.setdefault(chr(code), []).append((start, end))
    return places

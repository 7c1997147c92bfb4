"""Signs of a model that has lost its way: broken characters, or the same again and again."""

import re

from bot.knowledge.words import normal

_BROKEN = re.compile(r"[\ufffd\x00-\x08\x0b-\x1f\x7f]|<\|[^|>]{1,40}\|>")
_MANY = 3  # a sentence may come twice (a refrain), not three times
_LETTERS = re.compile(r"([^\s\d.\-=_*#|])\1{9,}")
_SYLLABLES = re.compile(r"([a-z]{2,4})\1{7,}", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_PERIOD = 6  # words: a loop of up to this many, said four times on end
_HAN_LOOP = re.compile(r"([\u4e00-\u9fff]{1,8}[，、。！？]?)\1{3,}")
_WINDOW = 2_000  # characters looked at for loops within one sentence


def fault(shown: str, sentence: str) -> str | None:
    """What is wrong with a sentence after what was shown, as the rest of "the answer …"; None where nothing is."""
    broken = _BROKEN.search(sentence)
    if broken:
        return f"has a broken character, {broken.group()!r}"
    piece = sentence[:_WINDOW]
    for pattern in (_LETTERS, _SYLLABLES, _HAN_LOOP):
        loop = pattern.search(piece)
        if loop:
            return f"repeats {loop.group(1)[:30]!r}"
    loop_of_words = _word_loop(_WORD.findall(piece.lower()))
    if loop_of_words:
        return f"repeats {loop_of_words!r}"
    body = normal(sentence).strip()
    if len(body) > 8 and normal(shown).count(body) >= _MANY - 1:
        return f"says {body[:30]!r} again and again"
    return None


def _word_loop(words: list[str]) -> str | None:
    """The words that come four times on end; None where none do. Numbers in a row are no loop."""
    for period in range(1, _PERIOD + 1):
        same = 0
        for position in range(period, len(words)):
            same = same + 1 if words[position] == words[position - period] else 0
            if same == 3 * period and not words[position].isdigit():
                return " ".join(words[position - period + 1 : position + 1])
    return None

"""Markdown that is still being written."""

import re

from adapters.shared.breaking import Fence, State, lines

_TOKENS = re.compile(r"\\.|(?P<code>(?<!`)(`+)(?!`).*?(?<!`)\2(?!`))|(?P<ticks>`+)|(?P<mark>\*\*|~~|\*)", re.DOTALL)
_OPEN_LINK = re.compile(r"!?\[(?P<label>[^\[\]\n]*)(?:\]\([^)\n]*)?\Z")
_LOOSE_MARKS = re.compile(r"[*~]+\Z")


def complete(text: str) -> str:
    """The Markdown as it looks best now: an open code block, inline code or emphasis is closed, and of a link whose
    address is not whole the label is left. Never blank unless the text is.

    >>> complete("See **the [guide](https://exa")
    'See **the guide**'
    """
    state, begin = State(), 0
    for start, stop in lines(text, 0, text.rfind("\n") + 1):
        state = state.after(text[start:stop])
        if state.fence is not None or not text[start:stop].strip():
            begin = stop + 1
    if state.fence is not None:
        return _with_fence(text, state.fence)
    best = text[:begin] + _with_marks(text[begin:])
    return best if best.strip() else text


def _with_fence(text: str, fence: Fence) -> str:
    line = text[text.rfind("\n") + 1 :]
    if fence.closed_by(line):
        return text
    if line and fence.may_be_closed_by(line):
        text = text[: -len(line)]
    return text.rstrip("\n") + fence.closing


def _with_marks(text: str) -> str:
    ticks = next((found for found in _TOKENS.finditer(text) if found["ticks"]), None)
    if ticks is not None:
        before, code = text[: ticks.start()], text[ticks.end() :].rstrip("`")
        if not code.strip():
            return _with_marks(before.rstrip())
        text = before + ticks[0] + code + ticks[0]
        return text + "".join(_marks(text)[0])
    while link := _OPEN_LINK.search(text):
        text = text[: link.start()] + link["label"]
    opened, closed_at = _marks(text)
    if loose := _LOOSE_MARKS.search(text, closed_at):
        return _with_marks(text[: loose.start()].rstrip())
    return text.rstrip() + "".join(opened) if opened else text


def _marks(text: str) -> tuple[list[str], int]:
    """The marks left open, the innermost first, and where the last closed one ends."""
    opened: list[str] = []
    closed_at = 0
    for found in _TOKENS.finditer(text):
        mark = found["mark"]
        if not mark:
            continue
        if mark in opened and not text[found.start() - 1].isspace():
            while opened.pop() != mark:
                pass
            closed_at = found.end()
        elif found.end() < len(text) and not text[found.end()].isspace():
            opened.append(mark)
    return opened[::-1], closed_at

"""Markdown as language models write it: CommonMark with tables and strikes, made to bear streams and Chinese."""

import unicodedata
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline.state_inline import Delimiter, StateInline
from markdown_it.tree import SyntaxTreeNode

DEEPEST = 100


def parse(text: str) -> SyntaxTreeNode:
    """The tree of a Markdown text. HTML in it is text; so is all of it where it is nested absurdly deep."""
    tokens = _parser().parse(text)
    if any(token.level >= DEEPEST - 2 for token in tokens):  # the parser drops what is deeper
        tokens = MarkdownIt("zero").parse(text)
    return SyntaxTreeNode(tokens)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST}).enable(["table", "strikethrough"])
    # Pieces of a text may begin indented, link definitions would vanish, and a growing list is no heading.
    parser.disable(["code", "reference", "lheading"])
    parser.inline.ruler.at("emphasis", _emphasis)
    return parser


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Note runs of * and _ as CommonMark does, except beside Chinese: `**重点：**是` is bold."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    run = state.scanDelims(state.pos, marker == "*")
    before = state.src[state.pos - 1 : state.pos] or " "
    after = state.src[state.pos + run.length : state.posMax][:1] or " "
    cjk = marker == "*" and (_is_wide(before) or _is_wide(after))
    for _ in range(run.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=run.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=run.can_open or (cjk and not after.isspace() and not _is_closing(after)),
                close=run.can_close or (cjk and not before.isspace() and not _is_opening(before)),
            )
        )
    state.pos += run.length
    return True


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" or character in "“”‘’…—"


def _is_opening(character: str) -> bool:
    return unicodedata.category(character) in ("Ps", "Pi")


def _is_closing(character: str) -> bool:
    return unicodedata.category(character) in ("Pe", "Pf") or character in "，。、；：？！…"

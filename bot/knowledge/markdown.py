"""Markdown → sections: the text under each heading as blocks, in plain words.

Emphasis goes, link addresses stay in brackets, a table row becomes `Column: cell; Column: cell`, so that each piece
can stand alone in a prompt or a quotation.
"""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.knowledge.passages import Block, Section
from bot.knowledge.sentences import sentences

_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def sections(text: str) -> list[Section]:
    """The document's sections in order; front matter and HTML comments are left out."""
    text = _FRONT_MATTER.sub("", text, count=1)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    found: list[Section] = []
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    position = 0
    while position < len(tokens):
        end = _close(tokens, position)
        token = tokens[position]
        if token.type == "heading_open":
            if blocks:
                found.append(Section(tuple(title for _, title in path), tuple(blocks)))
            level = int(token.tag[1])
            path = [entry for entry in path if entry[0] < level] + [(level, _inline(tokens[position + 1]))]
            blocks = []
        else:
            blocks.extend(_blocks(tokens[position : end + 1]))
        position = end + 1
    if blocks:
        found.append(Section(tuple(title for _, title in path), tuple(blocks)))
    return found


def _close(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for position in range(start, len(tokens)):
        depth += tokens[position].nesting
        if depth == 0:
            return position
    return len(tokens) - 1


def _blocks(tokens: Sequence[Token]) -> list[Block]:
    first = tokens[0]
    if first.type == "paragraph_open":
        return _prose(_inline(tokens[1]))
    if first.type in ("bullet_list_open", "ordered_list_open"):
        return [Block(tuple(_items(tokens)), "\n")]
    if first.type == "table_open":
        return [Block(tuple(_rows(tokens)), "\n")]
    if first.type in ("fence", "code_block"):
        lines = first.content.rstrip("\n").split("\n")
        return [Block(tuple(lines), "\n", fence=f"```{first.info.strip()}")]
    if first.type == "blockquote_open":
        return _children(tokens)
    if first.type == "html_block":
        return _prose(_TAG.sub(" ", _COMMENT.sub("", first.content)))
    return []


def _children(tokens: Sequence[Token]) -> list[Block]:
    found: list[Block] = []
    position = 1
    while position < len(tokens) - 1:
        end = _close(tokens, position)
        inner = tokens[position : end + 1]
        found.extend(_prose(_inline(inner[1])) if inner[0].type == "heading_open" else _blocks(inner))
        position = end + 1
    return found


def _prose(text: str) -> list[Block]:
    pieces = tuple(piece.strip() for piece in sentences(text) if piece.strip())
    return [Block(pieces, None)] if pieces else []


def _items(tokens: Sequence[Token]) -> list[str]:
    """One text an item, with its nested lists below it, indented."""
    ordered = tokens[0].type == "ordered_list_open"
    number = int(str(tokens[0].attrGet("start") or 1))
    found: list[str] = []
    position = 1
    while position < len(tokens) - 1:
        end = _close(tokens, position)
        marker = f"{number}. " if ordered else "- "
        lines = "\n".join(block.text for block in _children(tokens[position : end + 1])).split("\n")
        found.append("\n".join([marker + lines[0], *(" " * len(marker) + line for line in lines[1:])]).rstrip())
        number += 1
        position = end + 1
    return found


def _rows(tokens: Sequence[Token]) -> list[str]:
    rows: list[list[str]] = []
    for position, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(_inline(tokens[position + 1]))
    header, *body = rows
    if not body:
        return ["; ".join(cell for cell in header if cell)]
    return [
        "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(header, row, strict=False) if cell)
        for row in body
    ]


def _inline(token: Token) -> str:
    parts: list[str] = []
    links: list[str] = []
    for child in token.children or ():
        if child.type in ("text", "image"):
            parts.append(child.content)
        elif child.type == "code_inline":
            parts.append(f"`{child.content}`")
        elif child.type == "softbreak":
            parts.append("\n")
        elif child.type == "hardbreak":
            parts.append("\n\n")
        elif child.type == "html_inline" and child.content.lower().startswith("<br"):
            parts.append(" ")
        elif child.type == "link_open":
            links.append(str(child.attrGet("href") or ""))
        elif child.type == "link_close":
            address = links.pop()
            shown = "".join(parts)
            if address.startswith(("http://", "https://", "mailto:")) and not shown.endswith(address):
                parts.append(f" ({address})" if not shown.endswith(address.removeprefix("mailto:")) else "")
    return unwrap("".join(parts))


def unwrap(text: str) -> str:
    """Joins wrapped lines: with a space, between Chinese characters with nothing. An empty line stays a break."""
    paragraphs = re.split(r"\n[ \t]*\n", text)
    return "\n".join(re.sub(r"(?<=[^\x00-\x7f])\n(?=[^\x00-\x7f])", "", part).replace("\n", " ") for part in paragraphs)

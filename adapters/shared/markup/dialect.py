"""What every chat platform's dialect of Markdown shares: the walk through a text."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markdown_it.tree import SyntaxTreeNode

from adapters.shared.markup.parsing import parse
from adapters.shared.markup.tables import aligned

ZERO_WIDTH_SPACE = "\u200b"

_TASK = re.compile(r"\[([ xX])\](?= |$)")
_TICKS = re.compile(r"`{3,}")


class CodeLine(str):
    """A line of a code block, which takes no indentation."""

    __slots__ = ()


@dataclass(slots=True)
class _Mark:
    text: str
    written: bool = False


class Dialect(ABC):
    """A way to write Markdown. `render` never raises, takes texts cut anywhere, and what it gives pings nobody."""

    strong: str
    emphasis: str
    strike: str
    rule: str

    @abstractmethod
    def escape(self, text: str, *, begins_line: bool) -> str:
        """Plain text, written so that it stays plain."""

    @abstractmethod
    def code(self, content: str) -> tuple[str, str]:
        """The marks around inline code, and the code."""

    @abstractmethod
    def fence(self, content: str, language: str) -> list[CodeLine]:
        """The lines of a code block, fences included."""

    @abstractmethod
    def link(self, label: str, url: str) -> str:
        """A link; both are plain and may be empty."""

    @abstractmethod
    def heading(self, content: SyntaxTreeNode, level: int) -> str: ...

    @abstractmethod
    def bullet(self, *, checked: bool | None) -> str:
        """What begins a list item; `checked` is None where it is no task."""

    @abstractmethod
    def indent(self, marker: str) -> str:
        """What stands before the further lines of a list item."""

    @abstractmethod
    def quote(self, line: str) -> str:
        """A line of a quotation."""

    @abstractmethod
    def needs_space(self, character: str) -> bool:
        """Whether a mark right beside this character would not count as one."""

    def finish(self, text: str) -> str:
        """The last change to a whole text."""
        return text

    def render(self, markdown: str) -> str:
        """Never blank unless the Markdown is."""
        text = "\n".join(self.blocks(parse(markdown).children)).strip("\n")
        return self.finish(text if text.strip() else self.escape(markdown.strip(), begins_line=True))

    def blocks(self, nodes: Iterable[SyntaxTreeNode], *, tight: bool = False) -> list[str]:
        """Blocks as lines, with blank lines between them."""
        lines: list[str] = []
        for node in nodes:
            block = self._block(node)
            if lines and block and not tight:
                lines.append("")
            lines += block
        return lines

    def inline(self, node: SyntaxTreeNode, *, mark: str = "") -> str:
        """Running text, all of it in `mark` where given."""
        writer = _Writer(self)
        writer.marked(mark, node.children)
        return writer.text

    def _block(self, node: SyntaxTreeNode) -> list[str]:
        match node.type:
            case "heading":
                return [self.heading(node.children[0], int(node.tag[1:]))]
            case "paragraph":
                return self.inline(node.children[0]).split("\n")
            case "fence":
                language = re.match(r"[\w+#.-]{0,30}", node.info.strip())
                return [*self.fence(_no_fence(node.content), language[0] if language else "")]
            case "blockquote":
                return [self.quote(line) for line in self.blocks(node.children)]
            case "bullet_list" | "ordered_list":
                return self._list(node)
            case "table":
                return [*self.fence(_no_fence("\n".join(_table(node))), "")]
            case "hr":
                return [self.rule]
            case _:
                return self.escape(node.content, begins_line=True).split("\n")

    def _list(self, node: SyntaxTreeNode) -> list[str]:
        lines: list[str] = []
        first = int(node.attrGet("start") or (0 if node.attrGet("start") == 0 else 1))
        for number, item in enumerate(node.children, first):
            tight = all(child.hidden for child in item.children if child.type == "paragraph")
            content = self.blocks(item.children, tight=tight) or [""]
            task = _TASK.match(content[0])
            marker = self.bullet(checked=task[1] != " " if task else None)
            if task:
                content[0] = content[0][task.end() :].lstrip()
            if node.type == "ordered_list":
                marker = f"{number}. " + (marker if task else "")
            if isinstance(content[0], CodeLine):
                content.insert(0, "")
            pad = self.indent(marker)
            if lines and not tight:
                lines.append("")
            lines.append((marker + content[0]).rstrip())
            lines += [line if isinstance(line, CodeLine) or not line else pad + line for line in content[1:]]
        return lines


class _Writer:
    """Running text with its marks. A mark is written when the first text within it comes, and ends with each line."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._marks: list[_Mark] = []
        self._at_mark = ""
        self.text = ""

    def marked(self, mark: str, nodes: Sequence[SyntaxTreeNode]) -> None:
        """The nodes within a mark, which may be none or open already."""
        new = bool(mark) and all(mark != other.text for other in self._marks)
        if new:
            self._marks.append(_Mark(mark))
        for node in nodes:
            self._node(node)
        if new:
            self._close(self._marks.pop())

    def _node(self, node: SyntaxTreeNode) -> None:
        dialect = self._dialect
        match node.type:
            case "strong":
                self.marked(dialect.strong, node.children)
            case "em":
                self.marked(dialect.emphasis, node.children)
            case "s":
                self.marked(dialect.strike, node.children)
            case "code_inline":
                mark, content = dialect.code(node.content)
                self._marks.append(_Mark(mark))
                self._put(content)
                self._close(self._marks.pop())
            case "softbreak" | "hardbreak":
                self._break()
            case "link" | "image":
                url = str(node.attrGet("href") or node.attrGet("src") or "")
                self._put(dialect.link(_plain(node) or node.content, url))
            case _:
                content = node.content.replace("\n", " ")
                self._put(dialect.escape(content, begins_line=not self.text or self.text.endswith("\n")))

    def _put(self, text: str) -> None:
        if not text:
            return
        waiting = [mark for mark in self._marks if not mark.written]
        if waiting:
            space = text[: len(text) - len(text.lstrip())]
            self._append(space)
            text = text[len(space) :]
            if not text:
                return
            self._separate(self.text[-1:] if self._at_mark != "open" else "")
            for mark in waiting:
                self.text += mark.text
                mark.written = True
            self._at_mark = "open"
        self._append(text)

    def _append(self, text: str) -> None:
        if text:
            if self._at_mark == "closed":
                self._separate(text[0])
            self.text += text
            self._at_mark = ""

    def _separate(self, character: str) -> None:
        if character and self._dialect.needs_space(character):
            self.text += ZERO_WIDTH_SPACE

    def _close(self, mark: _Mark) -> None:
        if mark.written:
            self.text += mark.text
            self._at_mark = "closed"

    def _break(self) -> None:
        for mark in reversed(self._marks):
            self._close(mark)
            mark.written = False
        self.text += "\n"
        self._at_mark = ""


def _plain(node: SyntaxTreeNode) -> str:
    """The text of a label, without its marks."""
    if node.type in ("softbreak", "hardbreak"):
        return " "
    return "".join(map(_plain, node.children)) if node.children else node.content


def _table(node: SyntaxTreeNode) -> list[str]:
    rows = [row for part in node.children for row in part.children]
    right = ["right" in str(cell.attrGet("style") or "") for cell in rows[0].children]
    return aligned([[_cell(cell) for cell in row.children] for row in rows], right=right)


def _cell(node: SyntaxTreeNode) -> str:
    if node.type == "link" and (url := str(node.attrGet("href") or "")) not in ("", _plain(node)):
        return f"{_plain(node)} ({url})"
    if node.type in ("inline", "td", "th", "strong", "em", "s"):
        return "".join(map(_cell, node.children)).replace("\n", " ")
    return _plain(node)


def _no_fence(content: str) -> str:
    """Code within which no fence can end."""
    return _TICKS.sub(lambda ticks: ZERO_WIDTH_SPACE.join(ticks[0]), content.rstrip("\n"))

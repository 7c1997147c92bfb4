"""Discord's Markdown."""

import re
from urllib.parse import unquote

from markdown_it.tree import SyntaxTreeNode

from adapters.shared.markup.dialect import ZERO_WIDTH_SPACE, CodeLine, Dialect

_PING = re.compile(r"@(?=everyone|here|[!&]?\d)", re.IGNORECASE)
_PLACE = re.compile(r"<(?=#\d)")
_URL = re.compile(r"(https?://[!-;=?-_a-~]+)")
_SAFE_URL = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\*~`]|(?<!\w)_|_(?!\w)|\](?=\()|\|(?=\|)|(?<=\|)\|")
_LINE_START = re.compile(r"^(\s*\d*)(?=#{1,3}\s|>|-#|[-+]\s|(?<=\d)[.)](?:\s|$))")


class Discord(Dialect):
    """Mentions get a zero-width space, wherever they stand: Discord looks for them in the bare text."""

    strong = "**"
    emphasis = "*"
    strike = "~~"
    rule = "─" * 12

    def escape(self, text: str, *, begins_line: bool) -> str:
        parts = _URL.split(text)
        parts[::2] = [_SPECIAL.sub(r"\\\g<0>", part) for part in parts[::2]]
        parts[1::2] = [_PING.sub("%40", url) for url in parts[1::2]]
        return _LINE_START.sub(r"\1\\", "".join(parts)) if begins_line else "".join(parts)

    def code(self, content: str) -> tuple[str, str]:
        if "`" not in content:
            return "`", content
        return "``", f"{ZERO_WIDTH_SPACE}{re.sub('`(?=`)', '`' + ZERO_WIDTH_SPACE, content)}{ZERO_WIDTH_SPACE}"

    def fence(self, content: str, language: str) -> list[CodeLine]:
        return [CodeLine(f"```{language}"), *map(CodeLine, content.split("\n")), CodeLine("```")]

    def link(self, label: str, url: str) -> str:
        label = " ".join(label.split())
        shown = url.removeprefix("mailto:")
        plain = self.escape(label, begins_line=False)
        safe = _SAFE_URL.fullmatch(url)
        if not label or unquote(label) == unquote(shown):
            return _PING.sub("%40", url) if safe else self.escape(shown, begins_line=False)
        if not safe or "://" in label:  # Discord shows no link whose label is another address
            return f"{plain} ({self.escape(shown, begins_line=False)})"
        plain = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", plain)
        return f"[{plain}]({_PING.sub('%40', url).replace('(', '%28').replace(')', '%29')})"

    def heading(self, content: SyntaxTreeNode, level: int) -> str:
        return f"{'#' * level} {self.inline(content)}" if level <= 3 else self.inline(content, mark=self.strong)

    def bullet(self, *, checked: bool | None) -> str:
        return "- " if checked is None else "- ☑ " if checked else "- ☐ "

    def indent(self, marker: str) -> str:
        return "   " if marker[0].isdigit() else "  "

    def quote(self, line: str) -> str:
        if isinstance(line, CodeLine):
            return CodeLine(f"> {line}")
        return line if line.startswith("> ") else f"> {line}"

    def needs_space(self, character: str) -> bool:
        return character in "*_~`\\"

    def finish(self, text: str) -> str:
        return _PLACE.sub(f"<{ZERO_WIDTH_SPACE}", _PING.sub(f"@{ZERO_WIDTH_SPACE}", text))


def render(markdown: str) -> str:
    """
    >>> render("**重点**：@everyone")
    '**重点**：@\\u200beveryone'
    """
    return Discord().render(markdown)

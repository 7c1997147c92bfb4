"""Slack's mrkdwn."""

import re
import string

from markdown_it.tree import SyntaxTreeNode

from adapters.shared.markup.dialect import CodeLine, Dialect

_SAFE_URL = re.compile(r"(?:https?://|mailto:)[^\s<>|]+", re.IGNORECASE)
_BESIDE_MARKS = frozenset(string.punctuation) - frozenset("*_~`")


def escaped(text: str) -> str:
    """Text in which Slack finds no mention, link or command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Slack(Dialect):
    """Every `<` but those of http, https and mailto links is escaped, so nothing can be a mention."""

    strong = "*"
    emphasis = "_"
    strike = "~"
    rule = "─" * 12

    def escape(self, text: str, *, begins_line: bool) -> str:
        return escaped(text)

    def code(self, content: str) -> tuple[str, str]:
        return "`", escaped(content.replace("`", "ˋ"))

    def fence(self, content: str, language: str) -> list[CodeLine]:
        return [CodeLine("```"), *map(CodeLine, escaped(content).split("\n")), CodeLine("```")]

    def link(self, label: str, url: str) -> str:
        label = " ".join(label.split())
        if not _SAFE_URL.fullmatch(url):
            return escaped(f"{label} ({url})" if label and url and label != url else label or url)
        return f"<{escaped(url)}|{escaped(label.replace('|', '¦') or url)}>"

    def heading(self, content: SyntaxTreeNode, level: int) -> str:
        return self.inline(content, mark=self.strong)

    def bullet(self, *, checked: bool | None) -> str:
        return "• " if checked is None else "☑ " if checked else "☐ "

    def indent(self, marker: str) -> str:
        return "    "

    def quote(self, line: str) -> str:
        return line if isinstance(line, CodeLine) or line.startswith("> ") else f"> {line}"

    def needs_space(self, character: str) -> bool:
        return not character.isspace() and character not in _BESIDE_MARKS


def render(markdown: str) -> str:
    """
    >>> render("**重点**是 [here](https://example.org)")
    '*重点*\\u200b是 <https://example.org|here>'
    """
    return Slack().render(markdown)

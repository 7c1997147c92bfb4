"""The placeholders of `instructions`, and where wrong ones stand."""

import re
from collections.abc import Iterator

from bot.personas.positions import Lines, Node
from bot.personas.problems import Problems, Spot

KNOWN = ("{{persona.title}}", "{{user.name}}", "{{date}}", "{{time}}")

_MOST = 100
_PLACEHOLDER = re.compile(r"\{\{[^{}]*(?:\}\})?")


def check_placeholders(node: Node, text: str, lines: Lines, problems: Problems) -> None:
    """Every `{{…}}` of instructions, at its own place in the source `text`."""
    for found, spot in _occurrences(node, text, lines):
        if not found.endswith("}}"):
            problems.add("bad-placeholder.open", spot)
        elif found not in KNOWN:
            hint = problems.near("".join(found.split()), list(KNOWN))
            problems.add("bad-placeholder", spot, found=found, hint=hint)


def forbid_placeholders(node: Node, key: str, text: str, lines: Lines, problems: Problems) -> None:
    """Report known placeholders in a text that is shown as it is."""
    for found, spot in _occurrences(node, text, lines):
        if found in KNOWN:
            problems.add("placeholder-place", spot, key=key)


def _occurrences(node: Node, text: str, lines: Lines) -> Iterator[tuple[str, Spot]]:
    """Placeholders with their places, the first 100; the place of the whole value where escapes hide one."""
    if not isinstance(node.value, str):
        return
    wanted = _PLACEHOLDER.findall(node.value)
    written = [found.start() for found in _PLACEHOLDER.finditer(text, node.begin, node.end)]
    is_plain = len(written) == len(wanted)
    for number, found in enumerate(wanted[:_MOST]):
        yield found, lines.spot(written[number]) if is_plain else node.spot

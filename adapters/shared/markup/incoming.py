"""What people write on a platform as plain text for a model."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

Lookup = Callable[[str], str | None]

_SLACK = re.compile(r"<([^<>|][^<>]*)>|&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_DISCORD = re.compile(
    r"<(?:@!?(?P<person>\d+)|@&(?P<role>\d+)|#(?P<room>\d+)|a?:(?P<emoji>\w+):\d+|t:(?P<time>-?\d{1,15})(?::[tTdDfFsSR])?"
    r"|/(?P<command>[^<>:]+):\d+)>",
    re.ASCII,
)


def nobody(identity: str) -> str | None:
    """A lookup that knows no names."""
    return None


def from_slack(text: str, *, person: Lookup = nobody, room: Lookup = nobody) -> str:
    """Slack's message text without its escapes; a name that `person` or `room` do not know stays an id.

    >>> from_slack("<@U1> see <https://example.org|this> &amp; that", person={"U1": "小明"}.get)
    '@小明 see this (https://example.org) & that'
    """

    def plain(found: re.Match[str]) -> str:
        if found[2]:
            return _ENTITIES[found[2]]
        target, _, label = found[1].partition("|")
        label = _unescaped(label)
        match target[0], target[1:]:
            case "@", identity:
                return f"@{person(identity) or label or identity}"
            case "#", identity:
                return f"#{label or room(identity) or identity}"
            case "!", command if command.startswith("date^"):
                return label
            case "!", command:
                return f"@{(label or command.partition('^')[0]).removeprefix('@')}"
        url = _unescaped(target)
        same = label in ("", url, url.removeprefix("mailto:"), url.partition("://")[2])
        return (label or url).removeprefix("mailto:") if same else f"{label} ({url})"

    return _SLACK.sub(plain, text)


def from_discord(text: str, *, person: Lookup = nobody, role: Lookup = nobody, room: Lookup = nobody) -> str:
    """Discord's message text with names in place of ids; a time is given in UTC.

    >>> from_discord("<@1> <:wave:2>", person={"1": "小明"}.get)
    '@小明 :wave:'
    """

    def plain(found: re.Match[str]) -> str:
        match found.lastgroup, found[found.lastgroup or 0]:
            case "person", identity:
                return f"@{person(identity) or identity}"
            case "role", identity:
                return f"@{role(identity) or identity}"
            case "room", identity:
                return f"#{room(identity) or identity}"
            case "emoji", name:
                return f":{name}:"
            case "time", seconds:
                return _time(int(seconds)) or found[0]
            case _, command:
                return f"/{command}"

    return _DISCORD.sub(plain, text)


def _unescaped(text: str) -> str:
    return re.sub(r"&(amp|lt|gt);", lambda found: _ENTITIES[found[1]], text)


def _time(seconds: int) -> str | None:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return None

"""What a person typed: a command or a message."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.types import Author, ConversationKey, Inbound, new_id

COMMANDS = ("/new", "/persona", "/stop", "/help")


@dataclass(frozen=True, slots=True)
class Command:
    """`name` with its slash, lower case; `argument` may be empty."""

    name: str
    argument: str


def parse(line: str) -> Command | str:
    """A command, or the message with surrounding white space removed; two slashes begin a message with one."""
    text = line.strip()
    if text.startswith("//"):
        return text[1:]
    if text.startswith("/"):
        name, _, argument = text.partition(" ")
        return Command(name.lower(), argument.strip())
    return text


def to_inbound(text: str, *, conversation: ConversationKey, user: str, locale: str | None) -> Inbound:
    return Inbound(
        event_id=new_id(),
        conversation=conversation,
        author=Author(id="me", name=user),
        text=text,
        locale=locale,
        received_at=datetime.now(UTC),
    )


def new_conversation() -> ConversationKey:
    return ConversationKey(channel="console", tenant="local", room=new_id())

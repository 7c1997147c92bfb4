"""The `id:` of an event: where its reader is, in the live buffer and in the conversation.

The bus knows only its cursor. A reader whose cursor is lost is brought up to date from the database; the mark says
from which turn on.
"""

from dataclasses import dataclass
from urllib.parse import quote, unquote

LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`cursor` None: the event came from the database. `attempt` None: the reader had the turn's end."""

    cursor: str | None
    turn: str
    attempt: int | None

    def encode(self) -> str:
        attempt = "" if self.attempt is None else str(self.attempt)
        return f"{quote(self.cursor or '', safe='')}~{self.turn}~{attempt}"


def read_mark(text: str | None) -> Mark | None:
    """The inverse of `Mark.encode`. None for anything else: such a reader starts like a new one."""
    if text is None or len(text) > LONGEST or text.count("~") != 2:
        return None
    cursor, turn, attempt = text.split("~")
    if not (turn.isascii() and turn.isalnum() and (attempt == "" or (attempt.isdecimal() and len(attempt) < 6))):
        return None
    return Mark(cursor=unquote(cursor) or None, turn=turn, attempt=int(attempt) if attempt else None)

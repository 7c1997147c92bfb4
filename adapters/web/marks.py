"""The `id:` of an event: where its reader is, in the live buffer and in the conversation.

The bus knows only its cursor. A reader whose cursor is lost is brought up to date from the database; the mark says
from which turn on.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

LONGEST = 300


_FORM = re.compile(r"([^~]*)~([0-9A-Za-z]+)~(?:(\d{1,5})\.(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`cursor` None: the event came from the database. `attempt` None: the reader had the turn's end.

    `seq` is that of the event, 0 for a turn's start or a text from the database.
    """

    cursor: str | None
    turn: str
    attempt: int | None
    seq: int = 0

    def encode(self) -> str:
        place = "" if self.attempt is None else f"{self.attempt}.{self.seq}"
        return f"{quote(self.cursor or '', safe='')}~{self.turn}~{place}"


def read_mark(text: str | None) -> Mark | None:
    """The inverse of `Mark.encode`. None for anything else: such a reader starts like a new one."""
    found = _FORM.fullmatch(text) if text is not None and len(text) <= LONGEST else None
    if found is None:
        return None
    cursor = unquote(found[1]) or None
    if found[3] is None:
        return Mark(cursor=cursor, turn=found[2], attempt=None)
    return Mark(cursor=cursor, turn=found[2], attempt=int(found[3]), seq=int(found[4]))

"""People's rights over their data: export, erasure, retention, and the search for what is left."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import JSON, Connection, String, Text, case, cast, func, or_, select

from bot.types import ConversationKey, Erased, Person, RatedTurn, Record
from storage.sql.database import Database
from storage.sql.erasing import erase, expire_conversations, expire_turns
from storage.sql.exporting import export
from storage.sql.models import conversations, metadata, turns
from storage.sql.rating import rated
from storage.sql.theirs import conversations_of

_INBOX = timedelta(hours=48)  # platforms deliver again for so long: keys of the inbox stay
_CHUNK = 1 << 20


class SqlRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def export(self, whom: Person | ConversationKey) -> AsyncIterator[Record]:
        return export(self._database, whom)

    def rated(self, *, persona: str | None = None, since: datetime | None = None) -> AsyncIterator[RatedTurn]:
        return rated(self._database, persona=persona, since=since)

    async def erase(self, whom: Person | ConversationKey) -> Erased:
        erased: list[Erased] = []
        for conversation in await self._database.read(lambda connection: conversations_of(connection, whom)):

            def work(connection: Connection, conversation: str = conversation) -> Erased:
                return erase(connection, conversation, whom, now=self._database.now(connection))

            erased.append(await self._database.write(work))
        await self._database.scrub()
        return Erased(
            gone=tuple(key for each in erased for key in each.gone),
            changed=tuple(key for each in erased for key in each.changed),
            cut=tuple(turn for each in erased for turn in each.cut),
        )

    async def expire(self, *, keep: timedelta | None, personas: Mapping[str, timedelta] | None = None) -> int:
        own = dict(personas or {})
        total = 0
        for name, age in [*own.items(), *([(None, keep)] if keep is not None else [])]:
            now = await self._database.read(self._database.now)
            until = now - max(age, _INBOX).total_seconds()
            of_turn, of_conversation = (
                table.c.persona.not_in(own) if name is None else table.c.persona == name
                for table in (turns, conversations)
            )
            for some in (
                expire_turns(of_turn, until=until, now=self._database.now),
                expire_conversations(of_conversation, until=until),
            ):
                while gone := await self._database.write(some, durable=False):
                    total += gone
        await self._database.scrub()
        return total

    async def find(self, needle: str) -> Mapping[str, int]:
        found = await self._database.read(lambda connection: _in_tables(connection, needle))
        files = {
            f"file {path.name}": await asyncio.to_thread(_in_file, path, needle) for path in self._database.files()
        }
        return found | files


def _in_tables(connection: Connection, needle: str) -> dict[str, int]:
    place = func.instr if connection.dialect.name == "sqlite" else func.strpos
    found: dict[str, int] = {}
    for table in metadata.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, String | JSON)]
        counts = [
            func.count(case((or_(*(place(cast(column, Text), text) > 0 for text in _spellings(needle))), 1)))
            for column in columns
        ]
        row = connection.execute(select(*counts).select_from(table)).one()
        found |= {f"{table.name}.{column.name}": count for column, count in zip(columns, row, strict=True)}
    return found


def _spellings(needle: str) -> Iterable[str]:
    """The text as it is, and as it stands in JSON."""
    return dict.fromkeys((needle, json.dumps(needle)[1:-1]))


def _in_file(path: Path, needle: str) -> int:
    """How often the text stands in the file; 0 where there is none."""
    wanted = [text.encode() for text in _spellings(needle)]
    overlap = max(map(len, wanted)) - 1
    count, tail = 0, b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                data = tail + chunk
                count += sum(data.count(text) for text in wanted)
                tail = data[-overlap:] if overlap else b""
                count -= sum(tail.count(text) for text in wanted if len(text) <= len(tail))
    except FileNotFoundError:
        return 0
    return count

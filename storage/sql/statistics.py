"""Statistics: what was answered on each day, counted from the turns and kept when these are gone."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select

from bot.types import DayCount, TurnState
from storage.sql.database import Database
from storage.sql.models import conversations, ratings, statistics, turns
from storage.sql.prepared import Prepared

_AS_IT_IS = ("persona", "channel", "seconds")


def _number(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


_COUNT = Prepared(
    select(
        turns.c.persona,
        conversations.c.channel,
        func.count().label("turns"),
        _number(turns.c.state == TurnState.FAILED.value).label("failed"),
        _number(turns.c.state == TurnState.STOPPED.value).label("stopped"),
        _number(ratings.c.rating == "up").label("up"),
        _number(ratings.c.rating == "down").label("down"),
        func.sum(func.coalesce(turns.c.prompt_tokens, 0)).label("prompt_tokens"),
        func.sum(func.coalesce(turns.c.new_tokens, 0)).label("new_tokens"),
        func.sum(turns.c.finished_at - turns.c.created_at).label("seconds"),
    )
    .join(conversations, conversations.c.key == turns.c.conversation)
    .outerjoin(ratings, ratings.c.turn == turns.c.id)
    .where(turns.c.finished_at >= bindparam("begin"), turns.c.finished_at < bindparam("end"))
    .group_by(turns.c.persona, conversations.c.channel)
)
_NEWEST = Prepared(select(func.max(statistics.c.day).label("day")))
_SINCE = Prepared(
    select(statistics)
    .where(statistics.c.day >= bindparam("first"))
    .order_by(statistics.c.day, statistics.c.persona, statistics.c.channel)
)


class SqlStatistics:
    def __init__(self, database: Database) -> None:
        self._database = database
        new = database.insert(statistics)
        keys = [statistics.c.day, statistics.c.persona, statistics.c.channel]
        self._store = Prepared(
            new.on_conflict_do_update(
                index_elements=keys,
                set_={column.name: new.excluded[column.name] for column in statistics.c if column not in set(keys)},
                where=new.excluded.turns >= statistics.c.turns,
            ),
            columns=[column.name for column in statistics.c],
        )

    async def refresh(self, day: date, *, zone: tzinfo) -> None:
        begin, end = (datetime.combine(day + timedelta(days=n), time(), zone).timestamp() for n in (0, 1))

        def work(connection: Connection) -> None:
            for row in _COUNT(connection, {"begin": begin, "end": end}):
                values = {name: int(value) if name not in _AS_IT_IS else value for name, value in row._asdict().items()}
                self._store(connection, values | {"day": day.isoformat()})

        await self._database.write(work, durable=False)

    async def newest(self) -> date | None:
        def work(connection: Connection) -> date | None:
            row = _NEWEST.first(connection, {})
            return date.fromisoformat(row.day) if row.day else None

        return await self._database.read(work)

    async def since(self, day: date) -> tuple[DayCount, ...]:
        def work(connection: Connection) -> tuple[DayCount, ...]:
            rows = _SINCE(connection, {"first": day.isoformat()})
            return tuple(DayCount(**row._asdict() | {"day": date.fromisoformat(row.day)}) for row in rows)

        return await self._database.read(work)

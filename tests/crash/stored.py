"""Reads a trial's database beside the replicas."""

import asyncio
import time

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from bot.types import ConversationKey
from storage.sql.models import inbox, outbox, turns
from tests.crash.history import History, StoredTurn, Write
from tests.crash.platform import Platform
from tests.crash.points import writes


async def come_to_rest(engine: Engine, seconds: float) -> None:
    """Wait until nothing is left to be answered or shown, at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and await asyncio.to_thread(_open_work, engine):
        await asyncio.sleep(0.1)


def _open_work(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            return _left(connection) > 0
    except DBAPIError:
        return True


def _left(connection: Connection) -> int:
    unfinished = select(func.count()).select_from(turns).where(turns.c.finished_at.is_(None))
    unsent = select(func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None), outbox.c.failed_at.is_(None))
    return int(connection.execute(unfinished).scalar_one() + connection.execute(unsent).scalar_one())


def whole_history(engine: Engine, platform: Platform, *, lease: float, one_process: bool) -> History:
    """What the database holds in the end, and what the platform saw."""
    with engine.connect() as connection:
        events = {row.event_id: row.turn for row in connection.execute(select(inbox.c.event_id, inbox.c.turn))}
        shown = {row.turn for row in connection.execute(select(outbox.c.turn).where(outbox.c.sent_at.is_not(None)))}
        stored = {
            row.id: StoredTurn(
                id=row.id,
                room=_room(row.conversation),
                seq=row.seq,
                state=row.state,
                text=row.text,
                sent=row.id in shown,
            )
            for row in connection.execute(select(turns))
        }
        told = tuple(
            Write(
                room=_room(row.conversation),
                what=row.what,
                process=row.process,
                claimed=row.claimed,
                current=row.current,
                until=row.until,
                at=row.at,
            )
            for row in connection.execute(select(writes).order_by(writes.c.id))
        )
    return History(
        sent=tuple(platform.asked.values()),
        acknowledged=frozenset(platform.acknowledged),
        shown=platform.shown(),
        events=events,
        turns=stored,
        writes=told,
        early=tuple(platform.early),
        lease=lease,
        one_process=one_process,
    )


def _room(conversation: str) -> str:
    return ConversationKey.decode(conversation).room

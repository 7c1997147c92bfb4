"""A turn beside 0, ten thousand and a million stored messages, in a conversation longer than its window."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median

from sqlalchemy import Connection, Engine, create_engine, make_url, text

from storage.sql import plugin as sql
from tests.benchmarks.report import Row, shown
from tests.benchmarks.turns import measure, sqlite
from tests.postgres_server import PostgresServer

STORED = (0, 10_000, 1_000_000)
TURNS_EACH = 20
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
CONVERSATION = f"'fake:t:old' || (n.i - 1) / {TURNS_EACH}"
FILL: Mapping[str, str] = {
    "conversations": f"""
        INSERT INTO conversations (key, channel, tenant, persona, created_at, epoch)
        {NUMBERS} SELECT 'fake:t:old' || (n.i - 1), 'fake', 't', 'helper', n.i, n.i FROM n
        WHERE n.i <= (:count - 1) / {TURNS_EACH} + 1""",
    "turns": f"""
        INSERT INTO turns (id, conversation, persona, state, attempt, text, message, created_at, finished_at)
        {NUMBERS} SELECT 't' || n.i, {CONVERSATION}, 'helper', 'done', 1, :answer, 'a' || n.i, n.i, n.i FROM n""",
    "questions": f"""
        INSERT INTO messages (id, conversation, turn, turn_seq, rank, role, author, text, at)
        {NUMBERS} SELECT 'q' || n.i, {CONVERSATION}, 't' || n.i, n.i, 0, 'user', 'Ann', 'hello there', n.i FROM n""",
    "answers": f"""
        INSERT INTO messages (id, conversation, turn, turn_seq, rank, role, text, at)
        {NUMBERS} SELECT 'a' || n.i, {CONVERSATION}, 't' || n.i, n.i, 1, 'assistant', :answer, n.i FROM n""",
    "inbox": f"""
        INSERT INTO inbox (channel, tenant, event_id, turn, at)
        {NUMBERS} SELECT 'fake', 't', 'e' || n.i, 't' || n.i, n.i FROM n""",
    "outbox": f"""
        INSERT INTO outbox (turn, turn_seq, conversation, message, state, created_at, sent_at)
        {NUMBERS} SELECT 't' || n.i, n.i, {CONVERSATION}, 'a' || n.i, 'done', n.i, n.i FROM n""",
}


@contextmanager
def postgres() -> Iterator[str]:
    with PostgresServer() as server, server.database() as name:
        yield server.url(name)


async def fill(url: str, messages: int) -> None:
    """Make the tables and put that many messages of finished turns into them."""
    async with sql.open(sql.settings(url=url)):
        pass
    engine = create_engine(make_url(url.replace("+aiosqlite", "")))
    try:
        _fill(engine, messages // 2)
    finally:
        engine.dispose()


def _fill(engine: Engine, turns: int) -> None:
    with engine.begin() as connection:
        for statement in FILL.values() if turns else ():
            connection.execute(text(statement), {"count": turns, "answer": " ".join(["word"] * 20)})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _analyze(connection)


def _analyze(connection: Connection) -> None:
    connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))


async def rows() -> list[Row]:
    found: list[Row] = []
    for name, database in {"SQLite": sqlite, "PostgreSQL": postgres}.items():
        medians: list[float] = []
        for stored in STORED:
            with database() as url:
                await fill(url, stored)
                times, _ = await measure(url, conversations=1, turns=500)
            medians.append(median(times))
            times_as_long = f"{medians[-1] / medians[0]:.2f} × the empty one"
            found.append(Row(f"turn, {name} with {stored:,} messages", f"{shown(times)}, {times_as_long}"))
    return found

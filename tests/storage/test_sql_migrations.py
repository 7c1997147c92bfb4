"""The tables' history: forwards and back on both databases, with what they hold, and by many at once."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, create_engine, inspect, make_url, text

from bot.errors import StoreUnavailable
from storage.sql import SqlMigrations, SqlSettings, open_store
from storage.sql.migrations import HEAD, current, downgrade, upgrade
from storage.sql.models import metadata
from tests.conformance.samples import accept, answered, key, texts
from tests.postgres_server import PostgresServer

OPENS = """
import asyncio, sys
from sqlalchemy import text
from storage.sql import SqlSettings, open_store, postgres

async def main():
    if sys.argv[2:] == ["unlocked"]:
        postgres._LOCK = text("SELECT true")
    async with open_store(SqlSettings(url=sys.argv[1], connections=1)) as store:
        await store.check()

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.database() as name:
            yield server.url(name)


def test_the_migrations_make_the_tables_of_the_models(empty: str) -> None:
    with connected(empty) as connection:
        upgrade(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert current(connection) == HEAD


def test_the_migrations_go_back_and_forth(empty: str) -> None:
    with connected(empty) as connection:
        assert current(connection) is None
        upgrade(connection)
        downgrade(connection, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert current(connection) is None
        upgrade(connection)
        assert current(connection) == HEAD
        with pytest.raises(StoreUnavailable, match="'nowhere'"):
            downgrade(connection, "nowhere")


def test_what_the_first_revision_held_survives_going_forth_and_back(empty: str) -> None:
    with connected(empty) as connection:
        upgrade(connection, "0001")
        for statement in FILL_0001.split(";"):
            connection.exec_driver_sql(statement)
        before = rows(connection)
        assert all(before.values())
        for _ in range(2):
            upgrade(connection, "0002")
            assert part_of(before, rows(connection))
            assert connection.execute(text("SELECT active_at FROM conversations")).scalars().all() == [5.5, 9.0]
            downgrade(connection, "0001")
            assert rows(connection) == before


async def test_a_filled_database_is_used_again_after_going_back_and_forth(empty: str) -> None:
    settings = SqlSettings(url=empty)
    migrations = SqlMigrations(settings)
    async with open_store(settings) as store:
        await answered(store, "e1")
    await migrations.downgrade("0001")
    assert await migrations.current() == "0001"
    async with open_store(settings) as store:
        assert await texts(store) == ["question e1", "an answer"]
        await answered(store, "e2")
    await migrations.downgrade("base")
    async with open_store(settings) as store:
        assert await store.conversations.get(key()) is None
        await answered(store, "e1")


async def test_what_a_downgrade_would_delete_is_named(empty: str) -> None:
    migrations = SqlMigrations(SqlSettings(url=empty))
    assert await migrations.current() is None
    assert await migrations.lost("base") == ()
    await migrations.upgrade("head")
    assert await migrations.lost(HEAD) == ()
    assert len(await migrations.lost("0001")) == 3
    assert len(await migrations.lost("base")) == 4
    for change in (migrations.lost, migrations.downgrade, migrations.upgrade):
        with pytest.raises(StoreUnavailable, match="'nowhere'"):
            await change("nowhere")
    assert await migrations.current() == HEAD


async def test_with_migrate_never_an_older_database_is_refused_and_left_as_it_is(empty: str) -> None:
    migrations = SqlMigrations(SqlSettings(url=empty))
    never = SqlSettings(url=empty, migrate="never")
    for revision in (None, "0001"):
        if revision:
            await migrations.upgrade(revision)
        with pytest.raises(StoreUnavailable, match="parley db upgrade"):
            async with open_store(never):
                pass
        assert await migrations.current() == revision
    await migrations.upgrade("head")
    async with open_store(never) as store:
        await accept(store, "e1")


async def test_replicas_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    with postgres.database() as name:
        assert await _complaints(postgres.url(name)) == [b""] * 5
        assert await SqlMigrations(SqlSettings(url=postgres.url(name))).current() == HEAD


async def test_without_the_lock_replicas_that_start_together_fail(postgres: PostgresServer) -> None:
    with postgres.database() as name:
        assert any(await _complaints(postgres.url(name), "unlocked"))


async def _complaints(url: str, *how: str) -> list[bytes]:
    """What five processes that open the store at the same time complain of."""
    children = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", OPENS, url, *how, stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    return [(await asyncio.wait_for(child.communicate(), 90))[1] for child in children]


def rows(connection: Connection) -> dict[str, list[dict[str, object]]]:
    """All that the database holds, by table."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(table.select().order_by(*table.primary_key)).mappings()]
        for table in found.sorted_tables
    }


def part_of(older: dict[str, list[dict[str, object]]], newer: dict[str, list[dict[str, object]]]) -> bool:
    """Whether every value of `older`, but the revision, is in `newer`."""
    return all(
        row.items() <= now.items()
        for table, held in older.items()
        if table != "alembic_version"
        for row, now in zip(held, newer[table], strict=True)
    )


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    place = make_url(url)
    if place.get_backend_name() == "sqlite":
        place = place.set(drivername="sqlite+pysqlite")
    engine = create_engine(place)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


FILL_0001 = """
INSERT INTO conversations (key, channel, tenant, persona, created_at, epoch, lease_until, holder) VALUES
    ('web:shop:a', 'web', 'shop', 'tutor', 1.5, 7, 30, 'me'), ('web:shop:b', 'web', 'shop', 'tutor', 9, 8, 0, '');
INSERT INTO turns (seq, id, conversation, persona, state, attempt, text, created_at, finished_at, receipt) VALUES
    (1, 't1', 'web:shop:a', 'tutor', 'done', 1, 'an answer', 2.5, 3.5, '{"left_out": []}'),
    (2, 't2', 'web:shop:a', 'tutor', 'queued', 0, '', 5.5, NULL, NULL);
INSERT INTO messages (seq, id, conversation, turn, turn_seq, rank, role, author, text, at) VALUES
    (1, 'm1', 'web:shop:a', 't1', 1, 0, 'user', 'Ann', 'question 你好', 2.5),
    (2, 'm2', 'web:shop:a', 't1', 1, 1, 'assistant', NULL, 'an answer', 3.5),
    (3, 'm3', 'web:shop:a', 't2', 2, 0, 'user', 'Ann', 'and then?', 5.5);
INSERT INTO inbox (channel, tenant, event_id, message_id, turn, at) VALUES ('web', 'shop', 'e1', 'p1', 't1', 2.5);
INSERT INTO outbox (turn, turn_seq, conversation, message, state, created_at, sent_at) VALUES
    ('t1', 1, 'web:shop:a', 'm2', 'done', 3.5, 4.5);
INSERT INTO ratings (turn, rating, comment, at) VALUES ('t1', 'up', 'thanks', 4.75)
"""

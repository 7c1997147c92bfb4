"""On a PostgreSQL that holds much, every statement finds its rows through an index."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection

from storage.sql import SqlStore, prepared
from tests.postgres_server import PostgresServer
from tests.storage.test_sql_writer import _everything

FILL = """
INSERT INTO conversations (key, channel, tenant, persona, created_at, epoch, active_at)
    SELECT 'web:shop:' || n, 'web', 'shop', 'tutor', n, n, n FROM generate_series(1, 5000) n;
INSERT INTO turns (id, conversation, persona, state, text, created_at, started_at, finished_at)
    SELECT 't' || n, 'web:shop:' || 1 + n % 5000, 'tutor', 'done', 'an answer', n, n, n
    FROM generate_series(1, 20000) n;
INSERT INTO messages (id, conversation, turn, turn_seq, rank, role, text, at)
    SELECT 'm' || rank || '-' || seq, conversation, id, seq, rank, 'user', 'words', created_at
    FROM turns, generate_series(0, 1) rank;
INSERT INTO inbox (channel, tenant, event_id, message_id, turn, at)
    SELECT 'web', 'shop', 'x' || seq, 'p' || seq, id, created_at FROM turns;
INSERT INTO outbox (turn, turn_seq, conversation, message, state, created_at, sent_at)
    SELECT id, seq, conversation, 'm1-' || seq, 'done', created_at, created_at FROM turns;
INSERT INTO ratings (turn, rating, at) SELECT id, 'up', created_at FROM turns;
INSERT INTO summaries (turn, turn_seq, conversation, text, at) SELECT id, seq, conversation, 'all', 1 FROM turns;
INSERT INTO rooms (channel, tenant, room, persona, at) SELECT 'web', 'shop', 'r' || n, 'tutor', 1
    FROM generate_series(1, 5000) n;
INSERT INTO facts (conversation, name, value, turn, at) SELECT conversation, id, 'x', id, 1 FROM turns;
ANALYZE;
"""


async def test_no_statement_reads_a_whole_table(
    postgres: PostgresServer, database: str, postgres_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.execute(FILL, database=database)
    asked: dict[str, Mapping[str, Any]] = {}
    run = prepared._Compiled.run

    def noting(self: Any, connection: Connection, values: Mapping[str, Any]) -> Any:
        if not self._sql.startswith("INSERT"):
            given = {**self._fixed, **values}
            asked[self._sql] = given | {name: process(given[name]) for name, process in self._into}
        return run(self, connection, values)

    with monkeypatch.context() as patch:
        patch.setattr(prepared._Compiled, "run", noting)
        await _everything(postgres_store)
    assert len(asked) >= 15

    def explain(connection: Connection) -> list[str]:
        cursor = connection.connection.cursor()
        return [
            f"{line} IN {sql}"
            for sql, values in asked.items()
            for (line,) in cursor.execute(f"EXPLAIN {sql}", values).fetchall()
        ]

    plans = await postgres_store.database.read(explain)
    assert any("Index" in line for line in plans)
    assert [line for line in plans if "Seq Scan" in line] == []

"""What keeps a store on PostgreSQL from opening, and what does not."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.errors import StoreUnavailable
from storage.sql import SqlSettings, open_store
from tests.conformance.samples import accept
from tests.postgres_server import PostgresServer


@pytest.fixture
def guarded(postgres: PostgresServer) -> Iterator[str]:
    """A user with a password and no rights."""
    postgres.execute("CREATE ROLE guarded LOGIN PASSWORD 'geheim'")
    yield "guarded"
    postgres.execute("DROP ROLE guarded")


async def test_what_keeps_it_from_opening_is_said_in_one_line_without_the_password(
    postgres: PostgresServer, guarded: str
) -> None:
    there = f"127.0.0.1:{postgres.port}"
    with postgres.database() as name:
        for url, what in (
            (f"postgresql+psycopg://parley:geheim@127.0.0.1:1/{name}", "is it running"),
            (f"postgresql+psycopg://{guarded}:geheim2@{there}/{name}", "password authentication failed"),
            (f"postgresql+psycopg://parley:geheim@{there}/nowhere", '"nowhere" does not exist'),
            (f"postgresql+psycopg://{guarded}:geheim@{there}/{name}", "let its user create and write tables"),
            (f"postgresql+psycopg://parley:geheim@{there}/{name}?sslmode=nonsense", "sslmode"),
            (f"postgresql+psycopg://parley:geheim@{there}/{name}?nonsense=1", "nonsense"),
        ):
            with pytest.raises(StoreUnavailable) as caught:
                async with open_store(SqlSettings(url=url)):
                    pass
            assert what in str(caught.value)
            assert "\n" not in str(caught.value)
            assert "geheim" not in str(caught.value)


async def test_a_database_of_a_newer_parley_is_refused(postgres: PostgresServer, database: str) -> None:
    postgres.execute("UPDATE alembic_version SET version_num = '9999'", database=database)
    with pytest.raises(StoreUnavailable, match=r"'9999'.*use the version of Parley that wrote it"):
        async with open_store(SqlSettings(url=postgres.url(database))):
            pass


async def test_a_server_with_few_connections_left_is_used_with_those_there_are(
    postgres: PostgresServer, guarded: str
) -> None:
    with postgres.database() as name:
        postgres.execute(f"GRANT ALL ON DATABASE {name} TO {guarded}")
        postgres.execute(f"GRANT ALL ON SCHEMA public TO {guarded}", database=name)
        postgres.execute(f"ALTER ROLE {guarded} CONNECTION LIMIT 2")
        async with open_store(
            SqlSettings(url=f"postgresql+psycopg://{guarded}:geheim@127.0.0.1:{postgres.port}/{name}")
        ) as store:
            await asyncio.gather(*(accept(store, f"e{n}", room=f"r{n}") for n in range(20)))
            await store.check()

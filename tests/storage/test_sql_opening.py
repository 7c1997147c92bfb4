"""Opening a database: the lock, what can be wrong with the file, and what a restart finds."""

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.errors import StoreUnavailable
from bot.plugins import find
from storage.sql import SqlSettings, open_store, plugin
from storage.sql.migrations import HEAD
from tests.conformance.samples import Clock, accept, begun, claimed, inbound, outcome, texts


async def refused(url: str) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        async with open_store(SqlSettings(url=url)):
            pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_store_is_found_by_its_name() -> None:
    assert find("parley.stores", "sql") is plugin


async def test_a_second_opener_is_refused_and_told_which_process_holds_the_file(url: str) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        said = await refused(url)
        assert "in use by another Parley" in said
        assert str(os.getpid()) in said
        await store.check()
    async with open_store(SqlSettings(url=url)):
        pass


async def test_another_process_is_refused_too(url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from storage.sql import SqlSettings, open_store\n"
        "from bot.errors import StoreUnavailable\n"
        "async def main():\n"
        "    async with open_store(SqlSettings(url=sys.argv[1])): pass\n"
        "try: asyncio.run(main())\n"
        "except StoreUnavailable as error: print(error)\n"
    )
    async with open_store(SqlSettings(url=url)):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, url, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        said, complained = await asyncio.wait_for(child.communicate(), 60)
    assert "in use by another Parley" in said.decode()
    assert complained == b""


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    said = await refused(f"sqlite+aiosqlite:///{tmp_path}/missing/parley.db")
    assert "missing" in said
    assert "choose a folder that exists" in said


async def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "parley.db").mkdir()
    assert "unable to open database file" in await refused(f"sqlite+aiosqlite:///{tmp_path}/parley.db")


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(url: str, tmp_path: Path) -> None:
    (tmp_path / "parley.db").write_text("dear diary, " * 100)
    assert "it is no SQLite database" in await refused(url)
    assert (tmp_path / "parley.db").read_text() == "dear diary, " * 100


async def test_a_database_of_a_newer_parley_is_refused_and_left_as_it_is(url: str, tmp_path: Path) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        await accept(store, "e1")
    _execute(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    said = await refused(url)
    assert "'9999'" in said
    assert "use the version of Parley that wrote it" in said
    _execute(tmp_path, f"UPDATE alembic_version SET version_num = '{HEAD}'")
    async with open_store(SqlSettings(url=url)) as store:
        assert await texts(store) == ["question e1"]


async def test_a_file_moved_away_while_open_is_noticed(url: str, tmp_path: Path) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        (tmp_path / "parley.db").rename(tmp_path / "elsewhere.db")
        with pytest.raises(StoreUnavailable, match="moved or deleted"):
            await store.check()


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("nonsense", "sqlite+aiosqlite:///"),
        ("sqlite:///a.db?mode=ro", "sqlite+aiosqlite:///"),
        ("mysql://u:geheim@host/db", "postgresql+psycopg://"),
        ("postgres://u:geheim@host/db", "postgresql+psycopg://"),
        ("postgresql+asyncpg://u:geheim@host/db", "postgresql+psycopg://"),
        ("postgresql+psycopg://u:geheim@host", "postgresql+psycopg://"),
        ("postgresql+psycopg://u:geheim@host:port/db", "postgresql+psycopg://"),
        ("postgresql+psycopg://u:gehe@im@host:54:32/db", "postgresql+psycopg://"),
    ],
)
def test_other_urls_are_refused_with_the_right_form_and_without_the_password(url: str, form: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(form)) as caught:
        SqlSettings(url=url)
    assert "gehe" not in str(caught.value.errors(include_input=False)[0]["msg"])


@pytest.mark.parametrize("url", ["postgresql+psycopg://u:p@host/db", "postgresql://host:1/db?sslmode=require"])
def test_the_urls_of_postgresql_are_accepted(url: str) -> None:
    assert not SqlSettings(url=url).is_sqlite


async def test_duplicates_are_known_after_a_restart(url: str) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        first = await store.intake.accept(inbound("e1", message="m1"), persona="tutor")
    async with open_store(SqlSettings(url=url)) as store:
        for again in (inbound("e1", message="m1"), inbound("e2", message="m1")):
            accepted = await store.intake.accept(again, persona="tutor")
            assert accepted.duplicate
            assert accepted.turn == first.turn
        assert await texts(store) == ["question e1"]


async def test_after_a_restart_work_goes_on_at_once_and_the_dead_holder_is_fenced_out(url: str, clock: Clock) -> None:
    async with open_store(SqlSettings(url=url), now=clock) as store:
        await accept(store, "e1")
        dead = await claimed(store)
        await begun(store, dead)
    clock.pass_(timedelta(milliseconds=10))
    async with open_store(SqlSettings(url=url), now=clock) as store:
        claim = await claimed(store)
        assert claim.epoch == dead.epoch + 1
        work = await begun(store, claim)
        assert work.turn.attempt == 2
        await store.turns.finish(claim, work.turn.id, outcome())


def _execute(folder: Path, statement: str) -> None:
    raw = sqlite3.connect(folder / "parley.db")
    with raw:
        raw.execute(statement)
    raw.close()

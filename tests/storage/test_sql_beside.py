"""A second process beside the Parley that has a SQLite file open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import StoreInUse, StoreUnavailable
from bot.ports import Store
from storage.sql import SqlSettings, SqlStore, open_store, plugin
from tests.conformance.samples import accept, key


def left(folder: Path) -> list[Path]:
    return list(folder.glob("*.model-*"))


@asynccontextmanager
async def serving(store: SqlStore) -> AsyncIterator[None]:
    """Looks for the chosen model as a running Parley does."""

    async def look() -> None:
        while True:
            await store.models.current()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()


@pytest.fixture
async def beside(file_store: SqlStore, url: str) -> AsyncIterator[Store]:
    async with plugin.beside(SqlSettings(url=url)) as store:
        yield store


async def test_it_reads_what_is_there_and_writes_nothing(file_store: SqlStore, url: str, beside: Store) -> None:
    with pytest.raises(StoreInUse):
        async with open_store(SqlSettings(url=url)):
            pytest.fail("two had it open")
    await accept(file_store, "e1", text="hello")
    assert [message.text for message in await beside.conversations.messages(key())] == ["hello"]
    with pytest.raises(StoreInUse):
        await beside.conversations.erase(key())
    with pytest.raises(StoreInUse):
        await beside.check()
    assert [message.text for message in await file_store.conversations.messages(key())] == ["hello"]


async def test_a_choice_is_taken_up_by_the_parley_that_has_it_and_taken_back(
    file_store: SqlStore, beside: Store, tmp_path: Path
) -> None:
    async with serving(file_store):
        one = await beside.models.use("models/one", note="gate passed")
        assert (one.model, one.note) == ("models/one", "gate passed")
        two = await beside.models.use("models/two")
        assert await file_store.models.current() == two
        undone = await beside.models.rollback()
        assert undone is not None
        assert (undone.id, undone.undone_at is None) == (two.id, False)
        assert await beside.models.current() == one
        await beside.models.rollback()
        assert await beside.models.rollback() is None
    assert left(tmp_path) == []


async def test_what_nobody_takes_up_is_withdrawn_and_said(
    file_store: SqlStore, beside: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("storage.sql.beside._PATIENCE", 0.2)
    with pytest.raises(StoreUnavailable, match="take it up"):
        await beside.models.use("models/one")
    assert await file_store.models.current() is None
    assert left(tmp_path) == []


async def test_a_file_that_is_no_word_about_a_model_changes_nothing(file_store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "parley.db.model-0").write_text('{"use": 7}')
    (tmp_path / "parley.db.model-1").write_text("[")
    assert await file_store.models.current() is None
    assert left(tmp_path) == []

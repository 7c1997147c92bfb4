"""An SQLite database with all tables, copied: the migrations that make one take longer than most tests."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.sql import SqlSettings, open_store


def blank(file: Path) -> str:
    """The URL of the database in `file`, which is left as it is where it is there already."""
    if not file.exists():
        file.write_bytes(_empty_tables())
    return _url(file)


@cache
def _empty_tables() -> bytes:
    async def migrate(file: Path) -> None:
        async with open_store(SqlSettings(url=_url(file))):
            pass

    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
        file = Path(folder) / "blank.db"
        beside.submit(asyncio.run, migrate(file)).result()
        return file.read_bytes()


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"

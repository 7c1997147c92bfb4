"""parley db, as a person at a shell uses it, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.sql.migrations import HEAD
from tests.blank import blank
from tests.cli.terminal import Result, parley
from tests.postgres_server import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    if request.param == "sqlite":
        yield {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}"}
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.database() as name:
            yield {"DATABASE_URL": server.url(name)}


def test_tables_are_brought_up_to_date_and_back(tmp_path: Path, environment: dict[str, str]) -> None:
    def db(*arguments: str, given: str = "") -> Result:
        return parley("db", *arguments, cwd=tmp_path, given=given, environment=environment)

    assert "none" in db("current").out
    assert "0001" in db("upgrade", "0001").out
    refused = parley("ask", "Hello?", cwd=tmp_path, environment={**environment, "PARLEY_STORE__MIGRATE": "never"})
    assert refused.code == 1
    assert "`parley db upgrade`" in refused.complaint
    assert db("upgrade").code == 0
    assert db("current").out.strip() == HEAD

    kept = db("downgrade", "0001", given="n\n")
    assert kept.code == 1
    assert "deletes" in kept.out
    assert db("downgrade", "0001").code == 1
    assert db("current").out.strip() == HEAD
    assert db("downgrade", "0001", given="y\n").code == 0
    assert db("current").out.strip() == "0001"
    assert db("downgrade", "base", "--yes").code == 0
    assert "none" in db("current").out


@pytest.mark.parametrize(
    ("arguments", "url", "says"),
    [
        (("upgrade", "nowhere"), None, "'nowhere'"),
        (("downgrade", "nowhere"), "sqlite+aiosqlite:///parley.db", "'nowhere'"),
        (("current",), "postgresql+psycopg://parley:geheim@127.0.0.1:1/parley", "is it running"),
        (("upgrade",), "postgresql+psycopg://parley:geheim@127.0.0.1:1/parley", "is it running"),
        (("upgrade",), "postgres://parley:geheim@127.0.0.1:1/parley", "postgresql+psycopg://"),
        (("upgrade",), "postgresql+psycopg://parley:geheim@host:port/parley", "postgresql+psycopg://"),
        (("current",), "sqlite+aiosqlite:///missing/parley.db", "missing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_without_the_password(
    tmp_path: Path, arguments: tuple[str, ...], url: str | None, says: str
) -> None:
    environment = {} if url is None else {"DATABASE_URL": url}
    blank(tmp_path / "parley.db")
    result = parley("db", *arguments, cwd=tmp_path, environment=environment)
    assert result.code == 1
    assert says in result.complaint
    assert "geheim" not in result.complaint


def test_a_store_without_revisions_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.cli.db import _migrations
    from bot.errors import ConfigError
    from bot.ports import Plugin
    from storage.sql import plugin

    monkeypatch.setattr("bot.plugins.find", lambda group, name: Plugin(plugin.settings, plugin.open))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="'sql' has no revisions"):
        _migrations(None)

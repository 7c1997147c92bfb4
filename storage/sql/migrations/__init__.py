"""The tables' history. A database is brought to its newest state when it is opened, unless the settings say never.

The functions take a connection in a transaction of the caller's, so that a migration happens whole or not at all.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0004"

log = logging.getLogger(__name__)

_versions = Table("alembic_version", MetaData(), Column("version_num", String))


def current(connection: Connection) -> str | None:
    """The revision the database is at; None where it is empty."""
    if not inspect(connection).has_table(_versions.name):
        return None
    return connection.execute(select(_versions.c.version_num)).scalar_one_or_none()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Raises StoreUnavailable where the database comes from a newer Parley."""
    if revision in ("head", HEAD) and current(connection) == HEAD:
        return
    _run("upgrade", connection, revision)


def require(connection: Connection) -> None:
    """Raises StoreUnavailable where the database is not at the newest revision."""
    if (found := current(connection)) != HEAD:
        raise StoreUnavailable(
            f"the database is at revision {found or 'none'} and this Parley needs {HEAD}, but store.migrate is never: "
            "run `parley db upgrade`, or the version of Parley that wrote it"
        )


def downgrade(connection: Connection, revision: str) -> None:
    """Back to `revision`; `base` drops every table. Raises StoreUnavailable where there is no such revision."""
    _run("downgrade", connection, revision)


def undone(connection: Connection, revision: str) -> tuple[str, ...]:
    """The titles of the revisions that a downgrade to `revision` undoes, newest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as in _run

    before = current(connection)
    if before is None:
        return ()
    with _explained("downgrade", before, revision):
        scripts = ScriptDirectory.from_config(_config())
        over = scripts.iterate_revisions(before, revision, select_for_downgrade=True)
        return tuple(script.doc.rstrip(".") for script in over)


def _run(command: str, connection: Connection, revision: str) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Alembic takes a third of a second to import, and a database at its head needs none of it.
    import alembic.command  # noqa: PLC0415

    config = _config()
    config.attributes["connection"] = connection
    before = current(connection)
    with _explained(command, before, revision):
        getattr(alembic.command, command)(config, revision)
    log.info("tables brought from revision %s to %s", before, current(connection))


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as in _run

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


@contextmanager
def _explained(command: str, before: str | None, revision: str) -> Iterator[None]:
    from alembic.script.revision import RevisionError  # noqa: PLC0415 - as in _run
    from alembic.util import CommandError  # noqa: PLC0415 - as in _run

    try:
        yield
    except (CommandError, RevisionError) as error:
        raise StoreUnavailable(
            f"the database is at revision {before!r} and cannot {command} to {revision!r}: {error}; "
            "use the version of Parley that wrote it, or a newer one"
        ) from error

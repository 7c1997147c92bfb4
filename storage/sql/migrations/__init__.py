"""The tables' history. Every database is brought to its newest state when it is opened.

The functions take a connection in a transaction of the caller's, so that a migration happens whole or not at all.
"""

import logging
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from bot.errors import StoreUnavailable

HEAD = "0001"

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


def downgrade(connection: Connection, revision: str) -> None:
    """Back to `revision`; `base` drops every table. Raises StoreUnavailable where there is no such revision."""
    _run("downgrade", connection, revision)


def _run(command: str, connection: Connection, revision: str) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Alembic takes a third of a second to import, and a database at its head needs none of it.
    import alembic.command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    before = current(connection)
    try:
        getattr(alembic.command, command)(config, revision)
    except CommandError as error:
        raise StoreUnavailable(
            f"the database is at revision {before!r} and cannot {command} to {revision!r}: {error}; "
            "use the version of Parley that wrote it, or a newer one"
        ) from error
    log.info("tables brought from revision %s to %s", before, current(connection))

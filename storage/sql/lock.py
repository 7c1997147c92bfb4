"""Keeps a second process from opening the same database file: SQLite is safe here with one writer only."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import StoreInUse, StoreUnavailable


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold `<database>.lock` until the end. Raises StoreInUse, which names the process that holds it,
    and StoreUnavailable."""
    path = database.with_name(database.name + ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"cannot create {str(path)!r} beside the database: {error.strerror}; "
            "choose a folder that exists and that Parley may write to"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise StoreInUse(
                f"the database {str(database)!r} is in use by another Parley (process {holder}); "
                "stop it first, or give this one a database of its own"
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)

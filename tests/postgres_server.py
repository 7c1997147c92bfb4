"""A private PostgreSQL server in a temporary folder, which can be stopped at any moment and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self

import psycopg

from tests.ports import Port

STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
SMALL = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "120",
    "shared_buffers": "32MB",
    "fsync": "on",
    "recovery_init_sync_method": "syncfs",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
}


class PostgresServer:
    """Use it in `with`: starts on entry; stops and is deleted at the end.

    Its user `parley` may do everything without a password; one named `guarded` would need one.
    `settings` are PostgreSQL's own, by their names.
    """

    def __init__(self, **settings: str) -> None:
        self._settings = SMALL | settings
        self._programs = programs()
        self._folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self._folder, "postgres", "postgres")
            self._as = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._port = Port()
        self.port = self._port.number
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def __enter__(self) -> Self:
        try:
            options = ("--username=parley", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
            command = (self._programs / "initdb", "-D", self._data, *options)
            subprocess.run(command, check=True, capture_output=True, cwd=self._folder, **self._as)
            rules = self._data / "pg_hba.conf"
            rules.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Returns when it takes connections, after whatever recovery it needs."""
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self._folder, "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._as,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """`immediate` is a crash: nothing is written any more, and the next start recovers."""
        if self._process is None:
            raise RuntimeError("PostgreSQL does not run")
        self._process.send_signal(STOP[mode])
        self._process.wait(60)
        self._process = None

    @property
    def process(self) -> int:
        """The id of the server's main process."""
        if self._process is None:
            raise RuntimeError("PostgreSQL does not run")
        return self._process.pid

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://parley@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self, *, template: str = "template0") -> Iterator[str]:
        """The name of a fresh database, dropped at the end."""
        self._made += 1
        name = f"test{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement beside the store; its rows, where it has any."""
        with self.connect(database) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="parley", dbname=database, autocommit=True, connect_timeout=10
        )

    @property
    def _data(self) -> Path:
        return self._folder / "data"


def programs() -> Path:
    """The folder of PostgreSQL's programs: Debian keeps them beside the PATH, the newest is taken."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(versions, key=lambda path: float(path.parent.parent.name), default=None)
    if newest is None:
        raise RuntimeError("these tests need PostgreSQL: install it, on Debian with `apt-get install postgresql`")
    return newest.parent

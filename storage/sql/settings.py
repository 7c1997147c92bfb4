"""The settings of the SQL store."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_SQLITE = "sqlite+aiosqlite:///parley.db"
_POSTGRES = "postgresql+psycopg://user:password@host/database"


class SqlSettings(BaseModel):
    """`url` in SQLAlchemy's form; `sqlite+aiosqlite:///:memory:` keeps nothing beyond the process.

    With `migrate: never` an older database is refused instead of brought up to date. `connections` is what each
    replica takes of PostgreSQL.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    url: str = _SQLITE
    migrate: Literal["auto", "never"] = "auto"
    connections: int = Field(default=8, ge=1, le=100)

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError) as error:
            raise ValueError(f"this is no database URL: write {_SQLITE} or {_POSTGRES}") from error
        if wrong := _fault(parsed):
            raise ValueError(f"{parsed.render_as_string(hide_password=True)!r} is not supported: {wrong}")
        return url

    @property
    def is_sqlite(self) -> bool:
        return make_url(self.url).get_backend_name() == "sqlite"


def _fault(url: URL) -> str | None:
    match url.get_backend_name():
        case "sqlite":
            return f"write {_SQLITE}, with the path of a file and nothing after it" if url.query else None
        case "postgresql":
            if url.drivername not in ("postgresql", "postgresql+psycopg"):
                return f"Parley speaks to PostgreSQL through psycopg: write {_POSTGRES}"
            return None if url.database else f"it names no database: write {_POSTGRES}"
        case _:
            return f"write {_SQLITE} for SQLite or {_POSTGRES} for PostgreSQL"

"""The settings of the SQL store."""

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


class SqlSettings(BaseModel):
    """`url` in SQLAlchemy's form; `sqlite+aiosqlite:///:memory:` keeps nothing beyond the process."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    url: str = "sqlite+aiosqlite:///parley.db"

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ValueError(f"{url!r} is no database URL: write sqlite+aiosqlite:///parley.db") from error
        if parsed.get_backend_name() != "sqlite" or parsed.query:
            shown = parsed.render_as_string(hide_password=True)
            raise ValueError(f"{shown!r} is not supported: write sqlite+aiosqlite:/// and the path of a file")
        return url

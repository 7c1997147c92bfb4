"""The settings of what replicas share through Redis."""

from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class RedisSettings(BaseModel):
    """`url` in redis-py's form: `redis://`, `rediss://` (TLS) or `unix://`. Every key begins with `prefix`.

    A conversation's live buffer keeps `events` live events and `buffer_bytes` of them (or its newest turn's text, if
    longer) for `idle_seconds` after its last event. `queue` is how many published texts wait for a slow subscriber.
    The memory of a conversation is kept for `memory_seconds`, where it has at most `memory_bytes`.

    No command waits longer than `timeout_seconds`; while Redis does not answer, nothing waits for it, and it is
    tried again every `probe_seconds`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    url: str = "redis://127.0.0.1:6379/0"
    prefix: str = Field(default="parley", pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    events: int = Field(default=1000, ge=16)
    buffer_bytes: int = Field(default=400_000, ge=4000)
    idle_seconds: float = Field(default=300.0, gt=0)
    queue: int = Field(default=1000, ge=1)
    memory_seconds: float = Field(default=3600.0, gt=0)
    memory_bytes: int = Field(default=400_000, ge=1000)
    timeout_seconds: float = Field(default=0.5, gt=0, le=10)
    probe_seconds: float = Field(default=1.0, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ValueError("this is no Redis URL: write redis://127.0.0.1:6379/0, rediss:// for TLS")
        if "password" in parse_qs(parts.query):
            raise ValueError("write the password before the host: redis://:password@host:6379/0")
        return url

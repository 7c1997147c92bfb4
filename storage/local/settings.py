"""The settings of what one process shares with itself."""

from pydantic import BaseModel, ConfigDict, Field


class LocalBusSettings(BaseModel):
    """Bounds on what live buffers keep; what they no longer hold, readers find in SQL.

    A conversation keeps `events` live events and `characters` of text (or its newest turn's text, if longer).
    At most `conversations` buffers stay, none longer than `idle_seconds` after its last event, unless followed.
    `queue` is how many published texts wait for a slow subscriber. At most `buckets` rates are counted at a time.
    The memories of `memories` conversations stay, with at most `memory_characters` of text in all.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    events: int = Field(default=1000, ge=16)
    characters: int = Field(default=100_000, ge=1000)
    conversations: int = Field(default=10_000, ge=1)
    idle_seconds: float = Field(default=300.0, gt=0)
    queue: int = Field(default=1000, ge=1)
    buckets: int = Field(default=100_000, ge=1)
    memories: int = Field(default=1000, ge=0)
    memory_characters: int = Field(default=10_000_000, ge=0)

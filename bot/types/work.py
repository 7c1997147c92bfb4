"""What is limited, what runs at fixed times, what was counted, which model was chosen."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: `burst` at once, filled again with `per_minute`."""

    burst: int
    per_minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One run of a job. `fire` names the fire time and is unique per job; `error` None: it went well so far."""

    job: str
    fire: str
    holder: str
    started_at: datetime
    finished_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """Somebody chose the model that answers: a folder, a hub id, whatever `engine.model` may be. `note` says why."""

    id: int
    model: str
    note: str
    at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """What a persona answered on a channel in one day. `seconds` is the sum of the times from question to reply."""

    day: date
    persona: str
    channel: str
    turns: int
    failed: int
    stopped: int
    up: int
    down: int
    prompt_tokens: int
    new_tokens: int
    seconds: float

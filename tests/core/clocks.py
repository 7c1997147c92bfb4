"""Replicas whose clocks are set by hand, each its own, the scheduling library's with it."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from apscheduler.schedulers import base

Now = Callable[[], datetime]
_CLOCK: ContextVar[Now] = ContextVar("clock")


class Hand:
    """A clock that moves when told."""

    def __init__(self, at: str | datetime) -> None:
        self.at = datetime.fromisoformat(at).astimezone(UTC) if isinstance(at, str) else at

    def __call__(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


class _Datetime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "datetime":  # type: ignore[override] # a plain datetime will do
        return _CLOCK.get()().astimezone(tz)


def use(clock: Now) -> None:
    """The clock of this task and of those it starts."""
    _CLOCK.set(clock)


def patch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "datetime", _Datetime)

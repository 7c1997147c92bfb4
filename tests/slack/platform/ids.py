"""Ids and timestamps in Slack's forms, never twice the same on one platform."""

import time
from itertools import count


class Ids:
    def __init__(self) -> None:
        self._numbers = count(1)
        self._last_micros = 0

    def new(self, prefix: str) -> str:
        """As `U0A00000001`."""
        return f"{prefix}0A{next(self._numbers):08X}"

    def ts(self) -> str:
        """The time now as `1700000000.000100`; later calls give greater values."""
        self._last_micros = max(self._last_micros + 1, time.time_ns() // 1000)
        seconds, micros = divmod(self._last_micros, 1_000_000)
        return f"{seconds}.{micros:06d}"

    def secret(self, prefix: str) -> str:
        return f"{prefix}-{next(self._numbers)}-{next(self._numbers)}-stand-in"

    def trigger(self) -> str:
        """As `123.456.abc`, the form Slack asks for."""
        return f"{next(self._numbers)}.{next(self._numbers)}.{next(self._numbers):016x}"

"""What goes wrong on purpose: by a seed, per method, so many times."""

import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Kind = Literal["lose_answer", "drop", "rate_limit", "status", "error", "slow", "duplicate", "redeliver", "lose_ack"]


@dataclass(slots=True, kw_only=True)
class Fault:
    """`pattern` names Web API methods or side doors, or event types for deliveries. `times` None: without end."""

    kind: Kind
    pattern: str
    rate: float
    times: int | None
    skip: int = 0
    seconds: float = 0
    status: int = 0
    error: str = ""
    copies: int = 0
    seen: int = 0
    fired: int = 0


DELIVERY: set[Kind] = {"duplicate", "redeliver", "lose_ack"}


class Faults:
    """Each verb arms one fault and gives it back; its `fired` counts. `rate` is a chance for each call."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._armed: list[Fault] = []

    def lose_answer(self, method: str, *, times: int | None = 1, rate: float = 1, skip: int = 0) -> Fault:
        """The call takes effect; the connection closes before the answer."""
        return self._arm(Fault(kind="lose_answer", pattern=method, times=times, rate=rate, skip=skip))

    def drop(self, method: str, *, times: int | None = 1, rate: float = 1, skip: int = 0) -> Fault:
        """The connection closes before the call takes effect."""
        return self._arm(Fault(kind="drop", pattern=method, times=times, rate=rate, skip=skip))

    def rate_limit(
        self, method: str, *, retry_after: int = 1, times: int | None = 1, rate: float = 1, skip: int = 0
    ) -> Fault:
        """429 with Retry-After in seconds."""
        return self._arm(
            Fault(kind="rate_limit", pattern=method, times=times, rate=rate, skip=skip, seconds=retry_after)
        )

    def status(self, method: str, status: int = 500, *, times: int | None = 1, rate: float = 1, skip: int = 0) -> Fault:
        """An HTTP status such as 500 or 503, with no effect."""
        return self._arm(Fault(kind="status", pattern=method, times=times, rate=rate, skip=skip, status=status))

    def error(self, method: str, error: str, *, times: int | None = 1, rate: float = 1, skip: int = 0) -> Fault:
        """`ok` false with this error, with no effect."""
        return self._arm(Fault(kind="error", pattern=method, times=times, rate=rate, skip=skip, error=error))

    def slow(self, method: str, seconds: float, *, times: int | None = 1, rate: float = 1, skip: int = 0) -> Fault:
        """The answer comes so much later; the effect comes at once."""
        return self._arm(Fault(kind="slow", pattern=method, times=times, rate=rate, skip=skip, seconds=seconds))

    def duplicate(
        self, event: str = "*", *, copies: int = 2, times: int | None = None, rate: float = 1, skip: int = 0
    ) -> Fault:
        """An event arrives `copies` times at once, each in an envelope of its own, with one event_id."""
        return self._arm(Fault(kind="duplicate", pattern=event, times=times, rate=rate, skip=skip, copies=copies))

    def redeliver(self, event: str = "*", *, after: float, times: int | None = None, rate: float = 1) -> Fault:
        """An event comes again after so many seconds though it was acknowledged."""
        return self._arm(Fault(kind="redeliver", pattern=event, times=times, rate=rate, seconds=after))

    def lose_ack(self, event: str = "*", *, times: int | None = 1, rate: float = 1) -> Fault:
        """The acknowledgement doesn't reach Slack, which delivers again in time."""
        return self._arm(Fault(kind="lose_ack", pattern=event, times=times, rate=rate))

    def clear(self) -> None:
        self._armed.clear()

    def on_call(self, method: str) -> Fault | None:
        """The first armed fault that strikes this call. Each counts the call, whichever strikes."""
        return self._first(method, {fault.kind for fault in self._armed} - DELIVERY)

    def on_delivery(self, event: str, kind: Kind) -> Fault | None:
        return self._first(event, {kind})

    def _first(self, name: str, kinds: set[Kind]) -> Fault | None:
        found: Fault | None = None
        for fault in self._armed:
            if fault.kind not in kinds or not fnmatchcase(name, fault.pattern):
                continue
            fault.seen += 1
            if found is None and self._strikes(fault):
                found = fault
        return found

    def _strikes(self, fault: Fault) -> bool:
        if (fault.times is not None and fault.fired >= fault.times) or fault.seen <= fault.skip:
            return False
        if self._random.random() >= fault.rate:
            return False
        fault.fired += 1
        return True

    def _arm(self, fault: Fault) -> Fault:
        self._armed.append(fault)
        return fault

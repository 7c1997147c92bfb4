"""When an endpoint that fails is left alone: a circuit breaker."""

from collections.abc import Callable

LONGEST_REST = 60.0


class Breaker:
    """Opens after `after` failures in a row. Rested, it lets one request try; that one closes or opens it again.

    Each time it opens anew it rests twice as long. `clock` tells seconds.
    """

    def __init__(self, *, after: int, rest: float, clock: Callable[[], float]) -> None:
        self._after = after
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._opened = 0
        self._until = 0.0
        self._half_open = False
        self._trying = False

    @property
    def allows(self) -> bool:
        """Whether a request may be sent now."""
        return self._clock() >= self._until and not self._trying

    def begin(self) -> None:
        """A request is sent."""
        self._trying = self._half_open

    def answered(self) -> None:
        """It began to answer: others may come, but after a rest one failure is enough to open again."""
        if self._half_open:
            self._half_open = self._trying = False
            self._failures = self._after - 1

    def succeeded(self) -> None:
        """It answered to the end."""
        self._failures = self._opened = 0
        self._half_open = self._trying = False

    def abandoned(self) -> None:
        """The request was given up by us, which says nothing."""
        self._trying = False

    def failed(self) -> None:
        self._trying = False
        self._failures += 1
        now = self._clock()
        if self._failures >= self._after and now >= self._until:
            self._until = now + min(LONGEST_REST, self._rest * 2**self._opened)
            self._opened = min(self._opened + 1, 16)
            self._half_open = True

    def busy(self, wait: float) -> None:
        """It asks to be left alone for `wait` seconds, which is no failure."""
        self._trying = False
        self._until = max(self._until, self._clock() + min(LONGEST_REST, wait))

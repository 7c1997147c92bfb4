"""What may go wrong on the way: answers that are lost, errors, refusals."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.discord.platform.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Strikes requests that `matches`, `times` at most, each with the probability `share`.

    `status` answers with that status, without the request done (`retry_after` seconds with 429). `lost` does what was
    asked and closes the connection in place of an answer; without `status` or `lost` the request is not even read.
    """

    method: str = ""
    path: str = ""
    times: int = 1_000_000
    share: float = 1.0
    status: int | None = None
    retry_after: float = 0.0
    lost: bool = False
    when: Callable[[Request], bool] = lambda request: True

    def matches(self, request: Request) -> bool:
        return request.method.startswith(self.method) and self.path in request.template and self.when(request)


@dataclass(slots=True)
class Faults:
    random: Random = field(default_factory=lambda: Random(7))
    armed: list[tuple[Fault, int]] = field(default_factory=list)
    struck: int = 0

    def add(self, fault: Fault) -> None:
        self.armed.append((fault, 0))

    def clear(self) -> None:
        self.armed.clear()

    def strike(self, request: Request) -> Fault | None:
        for place, (fault, count) in enumerate(self.armed):
            if count < fault.times and fault.matches(request) and self.random.random() < fault.share:
                self.armed[place] = (fault, count + 1)
                self.struck += 1
                return fault
        return None

"""One request under way in the worker."""

import random
from dataclasses import dataclass, field
from typing import Literal

from bot.engine.tokens import Detokenizer, StopStrings
from bot.types import Sampling

Reason = Literal["stop", "length", "cancelled"]


@dataclass(slots=True, eq=False, kw_only=True)
class Sequence:
    """`filled` counts prompt tokens read; `produced` are the tokens chosen so far, an end token included."""

    id: int
    prompt: list[int]
    sampling: Sampling
    limit: int
    ends: frozenset[int]
    text: Detokenizer
    filled: int = 0
    produced: list[int] = field(default_factory=list)
    stops: StopStrings = field(init=False)
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.stops = StopStrings(self.sampling.stop)
        self.dice = random.Random(self.sampling.seed)  # noqa: S311 - chooses words, keeps no secret

    @property
    def length(self) -> int:
        """Tokens whose keys and values stand in the cache: all but the newest one."""
        return self.filled + max(len(self.produced) - 1, 0)

    def accept(self, token: int) -> tuple[str, Reason | None]:
        """Take the next token: the text that may now be shown, and the reason where this was the last."""
        self.produced.append(token)
        if token in self.ends:
            return self._finish(), "stop"
        text = self.stops.write(self.text.write(token))
        if self.stops.found:
            return text, "stop"
        if len(self.produced) >= self.limit:
            return text + self._finish(), "length"
        return text, None

    def _finish(self) -> str:
        return self.stops.write(self.text.finish()) + self.stops.finish()

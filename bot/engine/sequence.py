"""One request under way in the worker."""

import random
from dataclasses import dataclass, field
from typing import Literal

from bot.engine.constraints import Matcher
from bot.engine.tokens import Detokenizer, StopStrings
from bot.types import Sampling, TokenChance

Reason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A token, and where log-probabilities are asked for: its own and the likeliest ones, as the model gave them."""

    token: int
    logprob: float = 0.0
    top: tuple[tuple[int, float], ...] = ()


@dataclass(slots=True, eq=False, kw_only=True)
class Sequence:
    """`filled` counts prompt tokens read, `cached` those of them that were known.

    `produced` are the tokens chosen so far, an end token included; `chances` belong to those whose text is not shown.
    """

    id: int
    prompt: list[int]
    sampling: Sampling
    limit: int
    ends: frozenset[int]
    text: Detokenizer
    constraint: Matcher | None = None
    adapter: str | None = None
    filled: int = 0
    cached: int = 0
    produced: list[int] = field(default_factory=list)
    chances: list[TokenChance] = field(default_factory=list)
    stops: StopStrings = field(init=False)
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.stops = StopStrings(self.sampling.stop)
        self.dice = random.Random(self.sampling.seed)  # noqa: S311 - chooses words, keeps no secret

    @property
    def length(self) -> int:
        """Tokens whose keys and values stand in the cache: all but the newest one."""
        return self.filled + max(len(self.produced) - 1, 0)

    def accept(self, choice: Choice) -> tuple[str, Reason | None]:
        """Take the next token: the text that may now be shown, and the reason where this was the last."""
        token = choice.token
        self.produced.append(token)
        if token in self.ends:
            return self._finish(), "stop"
        if self.sampling.logprobs is not None:
            top = tuple((self.text.spell(other), logprob) for other, logprob in choice.top)
            self.chances.append(TokenChance(self.text.spell(token), choice.logprob, top))
        text = self.stops.write(self.text.write(token))
        if self.stops.found:
            return text, "stop"
        if self.constraint is not None:
            self.constraint.take(token)
            if self.constraint.over:
                return text + self._finish(), "stop"
        if len(self.produced) >= self.limit:
            return text + self._finish(), "length"
        return text, None

    def shown(self) -> tuple[TokenChance, ...]:
        """The chances of the tokens up to here, each given once."""
        chances, self.chances = tuple(self.chances), []
        return chances

    def _finish(self) -> str:
        return self.stops.write(self.text.finish()) + self.stops.finish()

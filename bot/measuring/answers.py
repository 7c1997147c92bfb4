"""When an answer's pieces came, and the figures of many answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Seconds since the run began: when it was asked for, and when each piece of it came.

    What it said is text or tokens, as its maker gives it.
    """

    asked: float
    came: tuple[float, ...]
    prompt_tokens: int
    new_tokens: int
    cached_tokens: int = 0
    text: str = ""
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Times in seconds. `cached` is the share of prompt tokens that needed no reading; `memory` the bytes resident in
    the process that generates, `computed` the seconds that its threads were computing."""

    answers: int
    prompt_tokens: int
    new_tokens: int
    tokens_per_second: float
    first_p50: float
    first_p99: float
    next_p50: float
    next_p99: float
    cached: float
    memory: int | None
    computed: float | None

    @property
    def tokens_per_cpu_second(self) -> float | None:
        return self.new_tokens / self.computed if self.computed else None


@dataclass(frozen=True, slots=True)
class Ran:
    """One run: answers by conversation, in the order in which they were asked for, and what the process used."""

    conversations: Sequence[Sequence[Answer]]
    memory: int | None = None
    computed: float | None = None

    @property
    def answers(self) -> list[Answer]:
        return [answer for answers in self.conversations for answer in answers]


def figures(ran: Ran) -> Figures:
    """Raises ValueError where there is no answer."""
    answers = ran.answers
    if not answers:
        raise ValueError("there are no answers to measure")
    new = sum(answer.new_tokens for answer in answers)
    prompts = sum(answer.prompt_tokens for answer in answers)
    spoken = [answer for answer in answers if answer.came]
    first = [answer.came[0] - answer.asked for answer in spoken]
    gaps = [later - earlier for answer in spoken for earlier, later in pairwise(answer.came)]
    took = max((answer.came[-1] for answer in spoken), default=0) - min(answer.asked for answer in answers)
    return Figures(
        answers=len(answers),
        prompt_tokens=prompts,
        new_tokens=new,
        tokens_per_second=new / took if took > 0 else 0.0,
        first_p50=percentile(first, 0.5),
        first_p99=percentile(first, 0.99),
        next_p50=percentile(gaps, 0.5),
        next_p99=percentile(gaps, 0.99),
        cached=sum(answer.cached_tokens for answer in answers) / prompts if prompts else 0.0,
        memory=ran.memory,
        computed=ran.computed,
    )


def percentile(values: Iterable[float], share: float) -> float:
    """By linear interpolation; 0 of nothing."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

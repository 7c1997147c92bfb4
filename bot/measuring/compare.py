"""Our engine and its rivals under the same workloads, one after the other on an otherwise idle machine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from bot.engine.client import LocalEngine, chat_tokens, local_folder, open_engine
from bot.engine.folder import ModelFolder, inspect
from bot.engine.hub import fetch
from bot.engine.protocol import Ready
from bot.engine.settings import EngineSettings
from bot.engine.tokens import ChatTokens, read_tokenizer
from bot.errors import ConfigError
from bot.measuring import ours
from bot.measuring.answers import Figures, figures
from bot.measuring.rivals import RIVALS, Rival, command, rival
from bot.measuring.waiting import queued
from bot.measuring.workloads import Conversation, Workload, arrivals, chat, plan
from bot.types import Message

FORMAT = "parley.bench/v1"
WORKLOADS: Mapping[str, str] = {
    "arrivals": "prompts that arrive 50 ms apart",
    "chat": "a shared persona, growing histories",
}
OURS = "parley"
SEQUENTIAL = "generate"
_ROUND = 64
_ALL_DAY = 86_400.0

Watch = Callable[[str, int], Callable[[], None]]
"""Told what begins and how many answers it has; called back after each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`shortest` and `longest` bound a prompt that arrives alone, `new` is the length of every answer, in tokens.

    `longest` of None is 512, less where the model's context holds less. `sample` conversations stand for all where
    answers are made one at a time.
    """

    conversations: tuple[int, ...] = (1, 8, 16, 32)
    shortest: int = 64
    longest: int | None = None
    new: int = 64
    precision: str = "auto"
    workloads: tuple[str, ...] = tuple(WORKLOADS)
    against: tuple[str, ...] = (SEQUENTIAL,)
    threads: int | None = None
    device: str = "auto"
    sample: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`ratio` is tokens a second over those of sequential `generate` in the same precision, `cpu_ratio` the same for
    each second of computing; None without it."""

    workload: str
    conversations: int
    who: str
    precision: str
    figures: Figures
    ratio: float | None = None
    cpu_ratio: float | None = None

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was compared on what: `ready` is how our worker runs the model."""

    model: str
    parameters: int
    ready: Ready
    rows: tuple[Row, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "format": FORMAT,
            "model": self.model,
            "parameters": self.parameters,
            "device": self.ready.device,
            "precision": self.ready.dtype,
            "threads": self.ready.threads,
            "load_seconds": self.ready.seconds,
            "rows": [row.plain() for row in self.rows],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A checked model and how it reads a chat."""

    path: Path
    folder: ModelFolder
    tokens: ChatTokens

    @property
    def ends(self) -> frozenset[int]:
        """Tokens that would end an answer."""
        tokenizer = read_tokenizer(self.folder.tokenizer)
        by_text = (tokenizer.token_to_id(text) for text in self.folder.end_texts)
        return frozenset({*self.folder.ends, *(token for token in by_text if token is not None)})


async def subject(model: str) -> Subject:
    """Find and check a model. Raises ModelRefused."""
    path = local_folder(model) or await fetch(model)
    folder = await asyncio.to_thread(inspect, path)
    return Subject(path=path, folder=folder, tokens=chat_tokens(folder, thinking=False))


def workloads(found: Subject, options: Options) -> dict[tuple[str, int], Workload]:
    """By name and conversations at once. Raises ConfigError where the context does not hold them."""
    context = found.folder.context
    longest = options.longest or min(512, context - options.new)
    shortest = options.shortest if options.longest else min(options.shortest, longest)
    if longest < 1 or longest + options.new > context:
        raise ConfigError(
            f"prompts of {longest} tokens with answers of {options.new} do not fit the model's context of {context}; "
            "use shorter --prompt-tokens or fewer --new-tokens"
        )
    made: dict[tuple[str, int], Workload] = {}

    def count(messages: Any) -> int:
        return len(found.tokens.encode(messages))

    for number in options.conversations:
        if "arrivals" in options.workloads:
            made["arrivals", number] = arrivals(
                number, shortest=shortest, longest=longest, new=options.new, count=count, label=f"A{number}"
            )
        if "chat" in options.workloads:
            made["chat", number] = chat(
                number, new=max(1, options.new // 2), context=context, count=count, label=f"C{number}"
            )
    return made


@asynccontextmanager
async def engine(
    found: Subject, options: Options, most: Mapping[tuple[str, int], Workload]
) -> AsyncIterator[LocalEngine]:
    """Ours, loaded and warm, with room for the workloads. Raises ModelRefused, EngineDied."""
    longest = max(workload.longest for workload in most.values())
    settings = EngineSettings(
        model=str(found.path),
        device=options.device,  # type: ignore[arg-type] # pydantic checks it
        dtype=options.precision,  # type: ignore[arg-type] # likewise
        threads=options.threads,
        slots=max(options.conversations),
        queue=10_000,
        deadline=_ALL_DAY,
        context=min(found.folder.context, -(-longest // _ROUND) * _ROUND),
    )
    async with open_engine(settings) as opened:
        await opened.wait_loaded()
        await ours.run(opened, _warming(), ends=frozenset())
        yield opened


async def compare(model: str, options: Options, watch: Watch) -> Compared:
    """Raises ModelRefused, ConfigError, EngineError."""
    found = await subject(model)
    asked = workloads(found, options)
    rows: list[Row] = []
    async with engine(found, options, asked) as opened:
        ready = opened.loaded or await opened.wait_loaded()
        for (name, number), workload in asked.items():
            told = watch(f"{OURS}, {name}, {number} at once", workload.answers)
            measured = figures(await ours.run(opened, workload, ends=found.ends, told=told))
            rows.append(Row(workload=name, conversations=number, who=OURS, precision=ready.dtype, figures=measured))
    start = partial(rival, folder=found.path, precision=ready.dtype, threads=ready.threads, device=ready.device)
    for kind in options.against:
        async with start(RIVALS[kind], command(kind)) as other:
            run = sequentially if kind == SEQUENTIAL else together
            for (name, number), measured in (await run(other, found, asked, options, watch)).items():
                rows.append(Row(workload=name, conversations=number, who=kind, precision=ready.dtype, figures=measured))
    return Compared(
        model=Path(model).name if local_folder(model) else model,
        parameters=found.folder.parameters,
        ready=ready,
        rows=tuple(with_ratios(rows)),
    )


async def together(
    other: Rival, found: Subject, asked: Mapping[tuple[str, int], Workload], options: Options, watch: Watch
) -> dict[tuple[str, int], Figures]:
    """A rival that answers many at once."""
    made: dict[tuple[str, int], Figures] = {}
    for (name, number), workload in asked.items():
        told = watch(f"{other.name}, {name}, {number} at once", workload.answers)
        made[name, number] = figures(await other.run(plan(workload, found.tokens.encode), told))
    return made


async def sequentially(
    other: Rival, found: Subject, asked: Mapping[tuple[str, int], Workload], options: Options, watch: Watch
) -> dict[tuple[str, int], Figures]:
    """A rival that answers one at a time: each kind of workload once, the waiting of many from that."""
    made: dict[tuple[str, int], Figures] = {}
    for name in dict.fromkeys(name for name, _ in asked):
        largest = max(number for kind, number in asked if kind == name)
        tokens = plan(asked[name, largest], found.tokens.encode, most=options.sample)
        told = watch(f"{other.name}, {name}", sum(len(c["turns"]) for c in tokens.conversations))
        ran = await other.run(tokens, told)
        for (kind, number), workload in asked.items():
            if kind == name:
                made[name, number] = figures(queued(ran, workload))
    return made


def with_ratios(rows: list[Row]) -> list[Row]:
    """Each row's speed over that of sequential `generate` in the same precision and workload, where that was run."""
    base = {(row.workload, row.conversations, row.precision): row.figures for row in rows if row.who == SEQUENTIAL}
    return [
        replace(
            row,
            ratio=_ratio(row.figures, one, "tokens_per_second"),
            cpu_ratio=_ratio(row.figures, one, "tokens_per_cpu_second"),
        )
        for row in rows
        for one in [base.get((row.workload, row.conversations, row.precision))]
    ]


def _ratio(figures: Figures, base: Figures | None, what: str) -> float | None:
    above, below = getattr(figures, what), base and getattr(base, what)
    return above / below if above and below else None


def _warming() -> Workload:
    """A short question before anything is measured: the first forward allocates."""
    one = Conversation(start=0.0, turns=((Message(role="user", text="Hello"),),), grows=False)
    return Workload(name="warming", new=2, longest=0, conversations=(one,))

"""Our engine beside `generate`, transformers' continuous batching and llama.cpp: the same weights and prompts."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bot.engine.tokens import read_tokenizer
from bot.measuring import ours
from bot.measuring.answers import Figures, Ran, figures
from bot.measuring.compare import (
    OURS,
    SEQUENTIAL,
    Options,
    Subject,
    engine,
    sequentially,
    subject,
    together,
    workloads,
)
from bot.measuring.rivals import RIVALS, Rival, command, rival
from bot.measuring.workloads import Workload, plan
from tests.benchmarks.engine import manners
from tests.benchmarks.engine.goals import AT_LEAST, AT_MOST, Goal, over
from tests.benchmarks.engine.goals import rows as told
from tests.benchmarks.engine.llama import llama
from tests.benchmarks.engine.reuse import reuse
from tests.benchmarks.engine.shapes import SHAPES, make
from tests.benchmarks.report import Row, milliseconds
from tests.llamacpp.environment import HOW, installed

ALL = (1, 8, 16, 32)
TRANSFORMERS, LLAMA = "transformers", "llama.cpp"
Key = tuple[str, int]
Where = tuple[str, str, str, int, str]
"""Shape, precision, workload, conversations at once, who."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A shape in one precision: how many conversations, `few` of them for what is slow, `sample` one at a time."""

    shape: str
    precision: str
    numbers: tuple[int, ...]
    few: tuple[int, ...]
    chats: tuple[int, ...]
    sample: int


TRIALS = (
    Trial(shape="b", precision="float32", numbers=ALL, few=(8, 32), chats=(16,), sample=8),
    Trial(shape="b", precision="int8", numbers=ALL, few=(8, 32), chats=(16,), sample=8),
    Trial(shape="c", precision="int8", numbers=(1, 8), few=(8,), chats=(8,), sample=4),
    Trial(shape="d", precision="int8", numbers=(1, 8), few=(8,), chats=(), sample=2),
)


@dataclass(slots=True)
class Found:
    figures: dict[Where, Figures] = field(default_factory=dict)
    first: dict[str, tuple[float, float]] = field(default_factory=dict)
    alike: dict[str, float] = field(default_factory=dict)
    steps: int | None = None

    def speed(self, shape: str, precision: str, workload: str, number: int, who: str) -> float | None:
        """Tokens for each second of computing: other work on the machine changes it little."""
        found = self.figures.get((shape, precision, workload, number, who))
        return found.tokens_per_cpu_second if found else None


async def rows(*, shapes: tuple[str, ...] = tuple(SHAPES), every: bool = False) -> list[Row]:
    """`every`: each shape and contender at 1, 8, 16 and 32 conversations, which takes an hour."""
    found = Found()
    with tempfile.TemporaryDirectory() as place:
        for trial in TRIALS:
            if trial.shape in shapes:
                folder = Path(place) / trial.shape
                if not folder.exists():
                    _say(f"making {trial.shape}: {SHAPES[trial.shape].title}")
                    make(folder, SHAPES[trial.shape])
                await _try(_whole(trial) if every else trial, folder, found)
        some = Path(place) / next(iter(shape for shape in SHAPES if shape in shapes))
        _say("event loop and cancelled requests")
        late = await manners.lag(some)
        cancels = await manners.many_cancels(Path(place))
    return [*_table(found), *_manners(late, cancels), *told(_goals(found, late, cancels))]


async def _try(trial: Trial, folder: Path, found: Found) -> None:
    read = await subject(str(folder))
    options = Options(
        conversations=trial.numbers, precision=trial.precision, threads=1, device="cpu", sample=trial.sample, new=64
    )
    asked = workloads(read, _only(options, "arrivals", trial.numbers))
    if trial.chats:
        asked |= workloads(read, _only(options, "chat", trial.chats))
    few = {key: workload for key, workload in asked.items() if key[1] in trial.few or key[0] == "chat"}

    def note(who: str, made: Mapping[Key, Figures]) -> None:
        for (workload, number), measured in made.items():
            place = (trial.shape, trial.precision, workload, number, who)
            found.figures[place] = measured
            _say(f"{_name(place)}: {_shown(measured)}")

    ran = await _ours(trial, read, options, asked, found)
    note(OURS, {key: figures(each) for key, each in ran.items()})
    start = partial(rival, folder=folder, precision=trial.precision, threads=1, device="cpu")
    async with start(RIVALS[SEQUENTIAL], command(SEQUENTIAL)) as other:
        note(SEQUENTIAL, await sequentially(other, read, asked, options, _watch))
        if trial.precision == "float32":
            found.alike[trial.shape] = await _alike(other, read, asked, ran)
    async with start(RIVALS[TRANSFORMERS], command(TRANSFORMERS)) as other:
        note(TRANSFORMERS, await together(other, read, few, options, _watch))
    if trial.precision == "int8":
        longest = max(workload.longest for workload in asked.values())
        most = max(number for _, number in asked)
        async with llama(folder, rows=most, context=longest, threads=1) as cpp:
            if cpp is not None:
                note(LLAMA, await together(cpp, read, asked, options, _watch))


async def _ours(
    trial: Trial, read: Subject, options: Options, asked: Mapping[Key, Workload], found: Found
) -> dict[Key, Ran]:
    async with engine(read, options, asked) as opened:
        ran: dict[Key, Ran] = {}
        for (workload, number), work in asked.items():
            _say(f"{trial.shape} {trial.precision}: {OURS}, {workload}, {number} at once")
            ran[workload, number] = await ours.run(opened, work, ends=frozenset())
        if opened.context >= 700:
            _say(f"{trial.shape} {trial.precision}: first token of what is kept")
            found.first[trial.shape] = await reuse(opened, read)
        if found.steps is None:
            found.steps = await manners.cancel_steps(opened)
        return ran


async def _alike(other: Rival, read: Subject, asked: Mapping[Key, Workload], ran: Mapping[Key, Ran]) -> float:
    """The share of answers to the first crowd that `generate` gives word by word."""
    key = ("arrivals", min(number for name, number in asked if name == "arrivals" and number > 1))
    said = await other.run(plan(asked[key], read.tokens.encode))
    tokenizer = read_tokenizer(read.folder.tokenizer)
    theirs = [tokenizer.decode(list(answer.tokens), skip_special_tokens=True) for answer in said.answers]
    same = [mine.text == text for mine, text in zip(ran[key].answers, theirs, strict=True)]
    return sum(same) / len(same)


def _table(found: Found) -> list[Row]:
    rows = []
    for place, measured in sorted(found.figures.items(), key=lambda each: _order(each[0])):
        ratio = over(measured.tokens_per_cpu_second, found.speed(*place[:4], SEQUENTIAL))
        rows.append(Row(_name(place), _shown(measured) + (f", {ratio:.2f} × generate" if ratio else "")))
    if installed() is None:
        rows.append(Row(LLAMA, f"not installed; to have it, in minutes: {HOW}"))
    return rows


def _order(place: Where) -> tuple[object, ...]:
    shape, precision, workload, number, who = place
    return shape, precision != "float32", workload, number, (OURS, SEQUENTIAL, TRANSFORMERS, LLAMA).index(who)


def _name(place: Where) -> str:
    shape, precision, workload, number, who = place
    return f"{shape} {'q8_0' if who == LLAMA else precision}, {workload}, {number} at once, {who}"


def _shown(found: Figures) -> str:
    speed = found.tokens_per_cpu_second
    memory = f"{found.memory / 2**20:.0f} MiB" if found.memory else "?"
    return (
        f"{found.tokens_per_second:.1f} tokens/s, {f'{speed:.1f}' if speed else '?'} a CPU second, "
        f"first {found.first_p50:.2f}/{found.first_p99:.2f} s, "
        f"next {found.next_p50 * 1000:.0f}/{found.next_p99 * 1000:.0f} ms, {memory}"
        + (f", {found.cached:.0%} cached" if found.cached else "")
    )


def _goals(found: Found, late: tuple[float, float, float], cancels: Mapping[str, int]) -> list[Goal]:
    def ratio(shape: str, precision: str, workload: str, number: int, who: str) -> float | None:
        mine = found.speed(shape, precision, workload, number, OURS)
        return over(mine, found.speed(shape, precision, workload, number, who))

    made = []
    for shape, number, wanted in (("b", 32, 4.0), ("c", 8, 2.5), ("d", 8, 2.5)):
        for precision in ("float32", "int8"):
            if (shape, precision) in {(trial.shape, trial.precision) for trial in TRIALS}:
                what = f"× generate, {shape} {precision}, {number} at once"
                made.append(Goal(what, AT_LEAST, wanted, ratio(shape, precision, "arrivals", number, SEQUENTIAL)))
    for precision in ("float32", "int8"):
        chats = f"× generate, chat, b {precision}, 16 at once"
        made.append(Goal(chats, AT_LEAST, 4.5, ratio("b", precision, "chat", 16, SEQUENTIAL)))
        many = f"× transformers' continuous batching, b {precision}, 32 at once"
        made.append(Goal(many, AT_LEAST, 2.0, ratio("b", precision, "arrivals", 32, TRANSFORMERS)))
    why = "not measured in this run" if installed() else "llama.cpp is not installed"
    for shape, number, wanted in (("b", 8, 1.0), ("c", 8, 1.0), ("d", 8, 1.0), ("c", 1, 0.75), ("d", 1, 0.75)):
        what = f"× llama.cpp q8, {shape} int8, {number} at once"
        made.append(Goal(what, AT_LEAST, wanted, ratio(shape, "int8", "arrivals", number, LLAMA), why))
    for shape, (kept, shared) in found.first.items():
        made.append(Goal(f"first token of a kept conversation over a cold one, {shape}", AT_MOST, 0.12, kept))
        made.append(Goal(f"first token with a shared persona over a cold one, {shape}", AT_MOST, 0.45, shared))
    for shape, share in found.alike.items():
        made.append(Goal(f"answers as generate gives them, {shape} float32", AT_LEAST, 100, 100 * share, unit=" %"))
    made.append(Goal("event loop's lag p99 while a model loads", AT_MOST, 2, late[1] * 1000, unit=" ms"))
    made.append(Goal("event loop's lag p99 while it answers", AT_MOST, 2, late[2] * 1000, unit=" ms"))
    made.append(Goal("steps from a cancel to a free place", AT_MOST, 1, found.steps))
    lost = cancels["left"] + cancels["foreign"]
    made.append(Goal("left over of 10,000 cancels, or shown to others", AT_MOST, 0, lost))
    return made


def _manners(late: tuple[float, float, float], cancels: Mapping[str, int]) -> list[Row]:
    return [
        Row("event loop's lag p99, nothing to do", milliseconds(late[0])),
        Row(f"worker's growth over {cancels['cancelled']:,} cancels", f"{cancels['grown'] / 2**20:.1f} MiB"),
    ]


def _only(options: Options, workload: str, numbers: tuple[int, ...]) -> Options:
    return replace(options, workloads=(workload,), conversations=numbers)


def _whole(trial: Trial) -> Trial:
    return replace(trial, numbers=ALL, few=ALL, chats=ALL)


def _watch(title: str, _answers: int) -> Callable[[], None]:
    _say(title)
    return lambda: None


def _say(line: str) -> None:
    print(f"…   {line}", file=sys.stderr)

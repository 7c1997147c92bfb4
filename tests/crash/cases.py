"""The cases of the soak: what is tried, how often, and what may be forgiven."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.types import Bounds
from tests.crash import strikes
from tests.crash.checker import Fault
from tests.crash.moody import MOODS
from tests.crash.platform import Weather
from tests.crash.points import POINTS
from tests.crash.report import Report
from tests.crash.trial import Faults, Scenario, calm

REPLICAS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of each case: the numbers of the full soak, all multiplied by `share`."""

    turns: int = 1000
    kills: int = 200
    share: float = 1.0

    def of(self, full: int, *, least: int = 1) -> int:
        return max(least, round(full * self.share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`unforgiven` names the faults that count; `databases` those it makes sense on, with so many `replicas` where
    there may be more than one."""

    scenario: Scenario
    faults: Faults = calm
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    replicas: int = REPLICAS
    unforgiven: Callable[[Report], tuple[Fault, ...]] = lambda report: report.faults

    def on(self, database: str) -> Scenario:
        return replace(self.scenario, replicas=1 if database == "sqlite" else self.replicas)


def one_duplicate_per_pause(report: Report) -> tuple[Fault, ...]:
    """Without a key of the platform's own, a pause between look-up and post can show a reply twice."""
    doubled = [fault for fault in report.faults if fault.kind == "duplicated" and fault.what.startswith("stamp")]
    forgiven = doubled if len(doubled) <= report.figures["pauses"] else []
    return tuple(fault for fault in report.faults if fault not in forgiven)


def cases(size: Size, *, seed: int) -> list[Case]:
    """Every case. The numbers are those of the reliability table."""
    rooms = 6
    base = Scenario(name="", rooms=rooms, seed=seed, settle=120)

    def turns(full: int) -> int:
        return size.of(full, least=rooms) // rooms * rooms

    return [
        Case(
            scenario=replace(base, name="1 kill -9 at random", turns=turns(size.turns)),
            faults=strikes.kills(size.of(size.kills)),
        ),
        Case(
            scenario=replace(base, name="2 death at named points", turns=10**6, until_struck=True),
            faults=strikes.traps(POINTS, rounds=size.of(50)),
            replicas=2,
        ),
        Case(
            scenario=replace(base, name="3 pauses of 1.6 leases", turns=turns(4000), lease=1.0, word=0.02),
            faults=strikes.pauses(size.of(200)),
            unforgiven=one_duplicate_per_pause,
        ),
        Case(
            scenario=replace(base, name="3 a pause, lease 15 s", turns=rooms * 20, lease=15.0, word=0.05),
            faults=strikes.pauses(size.of(3), every=(1.0, 3.0)),
            unforgiven=one_duplicate_per_pause,
        ),
        Case(
            scenario=replace(base, name="3 kills, lease 15 s", turns=rooms * 20, lease=15.0, word=0.05),
            faults=strikes.kills(size.of(20), every=(0.5, 2.0)),
        ),
        Case(
            scenario=replace(base, name="4 database stops", turns=turns(5000)),
            faults=strikes.database_stops(size.of(20), every=(5, 40)),
            databases=("postgresql",),
        ),
        Case(
            scenario=replace(quiet(base), name="4 database stops in the quiet", turns=size.of(200, least=20)),
            faults=strikes.database_stops(size.of(40), every=(0.8, 1.6), down=(0.1, 0.4)),
            databases=("postgresql",),
            replicas=2,
        ),
        Case(
            scenario=replace(base, name="5 Redis lost", turns=turns(2000)),
            faults=strikes.redis_losses(size.of(50)),
            databases=("postgresql",),
        ),
        Case(
            scenario=replace(
                base,
                name="6 delivered again and again",
                turns=turns(1000),
                weather=Weather(again=(1, 60, 300) if size.share >= 1 else (1, 5, 20)),
            ),
            faults=strikes.wait_for_stragglers,
        ),
        Case(
            scenario=replace(
                base, name="7 answers lost", turns=turns(1200), weather=Weather(lost=0.3, busy=0.0, failing=0.0)
            ),
        ),
        Case(
            scenario=replace(
                base, name="9 asked to wait", turns=turns(1000), weather=Weather(busy=0.25, failing=0.1), settle=300
            ),
        ),
        Case(
            scenario=replace(
                base, name="11 engine misbehaves", turns=turns(1000), moods=MOODS, deadline=2.0, polite=0.0
            ),
        ),
        Case(
            scenario=overload(base, seconds=600 * size.share),
        ),
    ]


def quiet(base: Scenario) -> Scenario:
    """So few at work that no durable commit of one takes another's lazy ones to the disk."""
    return replace(base, rooms=2, rest=0.02, polite=1.0, word=0.02)


def overload(base: Scenario, *, seconds: float) -> Scenario:
    """Ten times as many questions as two places can answer, each a tenth of a second long."""
    capacity = 2 / (20 * 0.005)
    rooms = 100
    turns = max(1, round(10 * capacity * seconds / rooms)) * rooms
    return replace(
        base,
        name="12 ten times overload",
        turns=turns,
        rooms=rooms,
        rest=rooms / (10 * capacity),
        word=0.005,
        at_once=2,
        polite=0.0,
        bounds=Bounds(waiting=2, joined=4, backlog=20),
    )

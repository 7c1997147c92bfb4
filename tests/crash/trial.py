"""A trial: people write, replicas answer, faults strike; in the end everyone's word goes into one history."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, create_engine

from bot.types import Bounds
from tests.blank import blank
from tests.crash.brood import Brood
from tests.crash.checker import check
from tests.crash.history import Sent
from tests.crash.house import House
from tests.crash.mechanisms import Mechanism
from tests.crash.moody import Mood
from tests.crash.platform import FLAVOURS, Platform, Weather
from tests.crash.points import metadata
from tests.crash.replica import Orders
from tests.crash.report import Report
from tests.crash.stored import come_to_rest, whole_history
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a trial takes place: a database of its own, and the servers that faults may strike."""

    url: str
    postgres: PostgresServer | None = None
    redis: RedisServer | None = None

    @property
    def database(self) -> str:
        return "sqlite" if self.url.startswith("sqlite") else "postgresql"

    def connect(self) -> Engine:
        """For reading it beside the replicas."""
        return create_engine(self.url.replace("sqlite+aiosqlite", "sqlite"), pool_pre_ping=True)


def on_sqlite(folder: Path) -> Ground:
    return Ground(url=blank(folder / "parley.db"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`turns` questions over `rooms` rooms, in each after a rest of `rest` seconds on average. Times in seconds.

    `polite` is the share of people who wait for their answer before they go on. A lease is renewed `renewals` times
    before it runs out. With `until_struck` people write, `turns` at most, as long as faults strike; else they keep pace
    with them.

    `settle` is how long after the last fault everything must be answered. With `moods`, three questions in ten make
    the engine misbehave in one of these ways.
    """

    name: str
    turns: int = 200
    rooms: int = 6
    replicas: int = 1
    rest: float = 0.15
    polite: float = 0.7
    lease: float = 1.5
    renewals: float = 4.0
    until_struck: bool = False
    word: float = 0.004
    deadline: float = 20.0
    at_once: int = 64
    moods: Sequence[Mood] = ()
    bounds: Bounds = Bounds()  # noqa: RUF009 - frozen
    settle: float = 30.0
    seed: int = 1
    weather: Weather = field(default_factory=Weather)
    off: Mechanism | None = None

    @property
    def messages(self) -> int:
        """How many are written: as many in each room."""
        return self.turns // self.rooms * self.rooms


class Stage:
    """What faults may take hold of. They tell what share of them has struck, and people keep pace with that.

    `missed` are points that nobody came by, `struck` counts what befell the servers.
    """

    def __init__(
        self, scenario: Scenario, ground: Ground, house: House, platform: Platform, told: Callable[[float], None]
    ) -> None:
        self.scenario = scenario
        self.house = house
        self.platform = platform
        self.ground = ground
        self.random = random.Random(scenario.seed)
        self.missed: list[str] = []
        self.struck: Counter[str] = Counter()
        self._told = told
        self._share = 0.0
        self._moved = asyncio.Condition()

    async def tell(self, share: float) -> None:
        self._told(share)
        async with self._moved:
            self._share = max(share, self._share)
            self._moved.notify_all()

    async def may_go_on(self, share: float) -> bool:
        """Wait until so large a share of the faults has struck. False where people shall fall silent."""
        if self.scenario.until_struck:
            return self._share < 1.0
        async with self._moved:
            await self._moved.wait_for(lambda: self._share >= share)
        return True


Faults = Callable[[Stage], Awaitable[None]]


async def calm(stage: Stage) -> None:
    """No fault but the platform's own."""
    await stage.tell(1.0)


async def trial(
    scenario: Scenario,
    ground: Ground,
    folder: Path,
    faults: Faults = calm,
    *,
    nest: Brood,
    told: Callable[[float], None] = lambda share: None,
) -> Report:
    """`folder` takes the replicas' log; `told` hears what share of the faults has struck."""
    began = time.monotonic()
    platform = Platform(seed=scenario.seed, weather=scenario.weather)
    engine = ground.connect()
    async with platform.serving():
        await asyncio.to_thread(metadata.create_all, engine)
        orders = Orders(
            process="",
            database=ground.url,
            redis=ground.redis.url if ground.redis else None,
            port=platform.port,
            log=str(folder / "replicas.log"),
            lease=scenario.lease,
            renew=scenario.lease / scenario.renewals,
            word=scenario.word,
            deadline=scenario.deadline,
            at_once=scenario.at_once,
            waiting=scenario.bounds.waiting,
            joined=scenario.bounds.joined,
            backlog=scenario.bounds.backlog,
            off=scenario.off,
        )
        house = House(nest, orders, replicas=scenario.replicas)
        stage = Stage(scenario, ground, house, platform, told)
        async with house.open():
            async with asyncio.TaskGroup() as group:
                group.create_task(_strike(stage, faults))
                for room in range(scenario.rooms):
                    group.create_task(_talk(stage, room))
            await come_to_rest(engine, scenario.settle)
        history = await asyncio.to_thread(
            whole_history, engine, platform, lease=scenario.lease, one_process=ground.database == "sqlite"
        )
        engine.dispose()
    return Report(
        name=scenario.name,
        database=ground.database,
        history=history,
        faults=check(history),
        killed=house.killed,
        missed=tuple(stage.missed),
        figures=dict(house.figures) | {"lost answers": platform.losses} | stage.struck,
        latencies=platform.latencies(),
        acknowledgements=platform.acknowledgements(),
        seconds=time.monotonic() - began,
    )


async def _strike(stage: Stage, faults: Faults) -> None:
    await faults(stage)
    await stage.tell(1.0)


async def _talk(stage: Stage, room: int) -> None:
    scenario = stage.scenario
    flavour = FLAVOURS[room % len(FLAVOURS)]
    name = f"{flavour}-{room}"
    each = scenario.messages // scenario.rooms
    chance = random.Random(f"{scenario.seed} {room}")
    for number in range(1, each + 1):
        if not await stage.may_go_on((number - 1 + room / scenario.rooms) / each):
            return
        aside = f", and {chance.choice(scenario.moods)}" if scenario.moods and chance.random() < 0.3 else ""
        sent = Sent(event=f"{name}-{number}", room=name, number=number, answerable=not aside)
        await stage.platform.say(sent, flavour=flavour, aside=aside)
        await asyncio.sleep(chance.expovariate(1 / scenario.rest))
        if chance.random() < scenario.polite:
            await _read(stage.platform, name, number)


async def _read(platform: Platform, room: str, number: int) -> None:
    """Wait for the answer, as most people do; nobody waits for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(3):
            while not platform.answered(room, number):
                await asyncio.sleep(0.02)

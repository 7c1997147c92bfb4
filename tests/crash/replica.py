"""One Parley of the harness: the real store, bus, inbox and dispatcher; a scripted engine and the made-up channels."""

import asyncio
import signal
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.dispatch import Dispatcher
from bot.inbox import StoredInbox
from bot.lease import Terms
from bot.load import Load
from bot.ports import Inbox, Shared
from bot.service import Pace, Service
from bot.types import Bounds
from storage import local, redis
from storage.local import LocalBusSettings
from storage.redis import RedisSettings
from storage.sql import SqlSettings, open_store
from tests.core.parts import OnePersona, WordKnowledge, make_persona
from tests.crash.channel import PlatformChannel
from tests.crash.line import Line
from tests.crash.mechanisms import ForgetfulInbox, Mechanism, without_claims, without_fence
from tests.crash.moody import MoodyEngine
from tests.crash.platform import FLAVOURS
from tests.crash.points import Trap, told

PERSONA = "helper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a replica is started with. Times are in seconds; `word` is the one between two words."""

    process: str
    database: str
    redis: str | None
    port: int
    log: str
    lease: float
    renew: float
    word: float
    deadline: float
    at_once: int
    waiting: int
    joined: int
    backlog: int
    off: Mechanism | None = None
    point: str = ""
    passes: int = 1


def main(orders: Orders) -> None:
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    with suppress(asyncio.CancelledError):
        asyncio.run(_until_told(orders))


async def _until_told(orders: Orders) -> None:
    serving = asyncio.create_task(_serve(orders))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await serving


async def _serve(orders: Orders) -> None:
    trap = Trap(orders.point, passes=orders.passes)
    if orders.off == "fence":
        without_fence()
    async with open_store(SqlSettings(url=orders.database, connections=4)) as opened, _shared(orders) as shared:
        store = told(opened, process=orders.process, passed=trap.passed)
        if orders.off == "claim":
            without_claims(store)
        personas = OnePersona(make_persona(name=PERSONA))
        load = Load(at_once=orders.at_once)
        inbox: Inbox = StoredInbox(
            store=store,
            bus=shared.bus,
            limiter=shared.limiter,
            window=shared.window,
            personas=personas,
            routes={flavour: {"default": PERSONA} for flavour in FLAVOURS},
            load=load,
            bounds=Bounds(waiting=orders.waiting, joined=orders.joined, backlog=orders.backlog),
        )
        if orders.off == "dedupe":
            inbox = ForgetfulInbox(inbox)
        channels = {
            flavour: PlatformChannel(
                flavour,
                line=Line(port=orders.port, flavour=flavour, passed=trap.passed),
                inbox=inbox,
                looks=orders.off != "reconcile",
            )
            for flavour in FLAVOURS
        }
        service = Service(
            store=store,
            bus=shared.bus,
            window=shared.window,
            personas=personas,
            knowledge=WordKnowledge("nothing at all"),
            engine=MoodyEngine(delay=orders.word),
            channels=channels,
            pace=_pace(orders),
            load=load,
            now=lambda: datetime.now(UTC),
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(Dispatcher(holder=orders.process, service=service).run())
            for channel in channels.values():
                group.create_task(channel.listen())


def _shared(orders: Orders) -> AbstractAsyncContextManager[Shared]:
    if orders.redis is None:
        return local.open_shared(LocalBusSettings())
    return redis.open_shared(RedisSettings(url=orders.redis, timeout_seconds=0.2, probe_seconds=0.2))


def _pace(orders: Orders) -> Pace:
    return Pace(
        at_once=orders.at_once,
        terms=Terms(lease=timedelta(seconds=orders.lease), renew=timedelta(seconds=orders.renew)),
        poll=timedelta(seconds=0.1),
        save=timedelta(seconds=0.05),
        retry=timedelta(seconds=0.1),
        deadline=timedelta(seconds=orders.deadline),
        grace=timedelta(seconds=2),
    )

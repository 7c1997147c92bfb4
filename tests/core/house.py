"""A core put together for tests: the real inbox and dispatcher around whatever parts a test brings."""

from collections.abc import Mapping

from bot.dispatch import Dispatcher
from bot.inbox import Limits, StoredInbox
from bot.load import Load
from bot.ports import Bus, Channel, Engine, Limiter, Personas, Store, Window
from bot.service import Pace, Service
from bot.types import Bounds
from tests.core.parts import NOW, CountingLimiter, DictWindow, OnePersona, WordKnowledge


def make_inbox(
    store: Store,
    bus: Bus,
    *,
    channel: str = "fake",
    personas: Personas | None = None,
    limiter: Limiter | None = None,
    window: Window | None = None,
    limits: Limits | None = None,
    bounds: Bounds | None = None,
    load: Load | None = None,
) -> StoredInbox:
    return StoredInbox(
        store=store,
        bus=bus,
        limiter=limiter or CountingLimiter(),
        window=window or DictWindow(),
        personas=personas or OnePersona(),
        routes={channel: {"default": "helper"}},
        load=load or Load(at_once=4),
        limits=limits or Limits(),
        bounds=bounds or Bounds(),
    )


def make_dispatcher(
    store: Store,
    bus: Bus,
    *,
    engine: Engine,
    channels: Mapping[str, Channel],
    personas: Personas | None = None,
    window: Window | None = None,
    holder: str = "test",
    pace: Pace | None = None,
    load: Load | None = None,
) -> Dispatcher:
    service = Service(
        store=store,
        bus=bus,
        window=window or DictWindow(),
        personas=personas or OnePersona(),
        knowledge=WordKnowledge(),
        engine=engine,
        channels=channels,
        pace=pace or Pace(),
        load=load or Load(at_once=4),
        now=lambda: NOW,
    )
    return Dispatcher(holder=holder, service=service)

"""Delivering to the app: acknowledgement in three seconds, else again at once, after 1 and after 5 minutes."""

import asyncio
import math
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from tests.slack.platform.carrying import Ack, Carrier, Envelope, Kind
from tests.slack.platform.faults import Faults
from tests.slack.platform.settings import Settings
from tests.slack.platform.things import Json


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One attempt. Times are monotonic seconds; `acked_at` None: not acknowledged in time."""

    kind: Kind
    name: str
    event_id: str | None
    payload: Json
    attempt: int
    reason: str | None
    sent_at: float
    acked_at: float | None = None
    connection: str | None = None
    failure: str | None = None


class Courier:
    """Carries events, interactions and commands; `carrier` is who carries now."""

    def __init__(self, settings: Settings, faults: Faults, carrier: Carrier) -> None:
        self.carrier = carrier
        self.deliveries: list[Delivery] = []
        self._settings = settings
        self._faults = faults
        self._tasks: set[asyncio.Task[Any]] = set()

    def event(self, payload: Json) -> None:
        """Sets out to deliver, and returns at once."""
        self._start(self._event(payload))

    async def interaction(self, kind: Kind, payload: Json, name: str) -> Ack | None:
        """One attempt: what people do isn't delivered twice. None where the app didn't acknowledge in time."""
        outcome = await self._attempt(Envelope(kind=kind, payload=payload), name)
        return outcome if isinstance(outcome, Ack) else None

    async def settle(self) -> None:
        """Returns when every event is acknowledged or given up, with the redeliveries yet to come."""
        while under_way := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(under_way)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        broken = [error for error in ended if isinstance(error, Exception)]
        if broken:
            raise ExceptionGroup("deliveries broke", broken)

    def percentile(self, percent: float) -> float:
        """The acknowledgement time in seconds that this share of acknowledged attempts stayed within."""
        times = sorted(each.acked_at - each.sent_at for each in self.deliveries if each.acked_at is not None)
        if not times:
            raise LookupError("nothing was acknowledged yet")
        return times[max(0, math.ceil(len(times) * percent / 100) - 1)]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)

    async def _event(self, payload: Json) -> None:
        name = payload["event"]["type"]
        duplicate = self._faults.on_delivery(name, "duplicate")
        redeliver = self._faults.on_delivery(name, "redeliver")
        for _ in range(duplicate.copies - 1 if duplicate else 0):
            self._start(self._until_acked(payload, name))
        if redeliver is not None:
            self._start(self._later(redeliver.seconds, payload, name))
        await self._until_acked(payload, name)

    async def _later(self, seconds: float, payload: Json, name: str) -> None:
        await asyncio.sleep(seconds)
        await self._attempt(Envelope(kind="events_api", payload=payload, attempt=1, reason="timeout"), name)

    async def _until_acked(self, payload: Json, name: str) -> None:
        reason: str | None = None
        for number, wait in enumerate((0, *self._settings.retry_after)):
            await asyncio.sleep(wait)
            envelope = Envelope(kind="events_api", payload=payload, attempt=number, reason=reason)
            outcome = await self._attempt(envelope, name)
            if isinstance(outcome, Ack):
                return
            reason = outcome
            if outcome == "no_retry":
                return

    async def _attempt(self, envelope: Envelope, name: str) -> Ack | str:
        delivery = Delivery(
            kind=envelope.kind,
            name=name,
            event_id=envelope.payload.get("event_id"),
            payload=envelope.payload,
            attempt=envelope.attempt,
            reason=envelope.reason,
            sent_at=time.monotonic(),
        )
        self.deliveries.append(delivery)
        outcome = await self.carrier.carry(envelope)
        if isinstance(outcome, Ack) and self._faults.on_delivery(name, "lose_ack"):
            await asyncio.sleep(self._settings.ack_seconds)
            outcome = "timeout"
        if isinstance(outcome, Ack):
            delivery.acked_at, delivery.connection = time.monotonic(), outcome.connection
        else:
            delivery.failure = outcome
        return outcome

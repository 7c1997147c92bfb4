"""Claims conversations and runs their turns: in order, one at a time, each to exactly one visible reply."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

from bot import notices
from bot.errors import EngineError, LeaseLost, ParleyError, PromptTooLong, StoreError, UnknownPersona
from bot.ports import Bus, Channel, Engine, Knowledge, Personas, Store
from bot.stops import Stops
from bot.turns import Answering, Draft
from bot.types import Claim, Delivery, LocalText, Outcome, Persona, Turn, TurnState, Work

MAX_ATTEMPTS = 3
HISTORY = 60

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a replica works: `at_once` conversations, leases, and how long it may finish turns when it is stopped."""

    at_once: int = 64
    lease: timedelta = timedelta(seconds=15)
    renew: timedelta = timedelta(seconds=5)
    poll: timedelta = timedelta(seconds=1)
    retry: timedelta = timedelta(seconds=1)
    grace: timedelta = timedelta(seconds=5)


class Dispatcher:
    """One per replica. `holder` names it in claims."""

    def __init__(
        self,
        *,
        holder: str,
        store: Store,
        bus: Bus,
        personas: Personas,
        knowledge: Knowledge,
        engine: Engine,
        channels: Mapping[str, Channel],
        pace: Pace | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
    ) -> None:
        self._holder = holder
        self._store = store
        self._bus = bus
        self._personas = personas
        self._knowledge = knowledge
        self._engine = engine
        self._channels = channels
        self._pace = pace or Pace()
        self._now = now
        self._stops = Stops()
        self._closing = False

    async def run(self) -> None:
        """Serve until cancelled; then finish what runs within the grace period and hand the rest back."""
        serving: set[asyncio.Task[None]] = set()
        try:
            async with (
                self._bus.subscribe("wake") as wakes,
                self._bus.subscribe("stop") as stops,
                asyncio.TaskGroup() as group,
            ):
                group.create_task(self._hear_stops(stops))
                await self._claim_forever(wakes, serving)
        finally:
            self._closing = True
            await self._wind_down(serving)

    async def _claim_forever(self, wakes: AsyncIterator[str], serving: set[asyncio.Task[None]]) -> None:
        next_wake: asyncio.Task[str] | None = None
        try:
            while True:
                if len(serving) >= self._pace.at_once:
                    await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
                claim = await self._claim()
                if claim is not None:
                    task = asyncio.create_task(self._serve(claim), name=f"serve {claim.conversation.encode()}")
                    serving.add(task)
                    task.add_done_callback(serving.discard)
                    continue
                next_wake = next_wake or asyncio.ensure_future(anext(wakes))
                done, _ = await asyncio.wait({next_wake}, timeout=self._pace.poll.total_seconds())
                if done:
                    next_wake.result()
                    next_wake = None
        finally:
            if next_wake is not None:
                next_wake.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await next_wake

    async def _claim(self) -> Claim | None:
        try:
            return await self._store.claims.claim(self._holder, channels=self._channels.keys(), lease=self._pace.lease)
        except StoreError as error:
            log.warning("claim failed", error=str(error))
            return None

    async def _hear_stops(self, stops: AsyncIterator[str]) -> None:
        async for turn in stops:
            self._stops.ask(turn)

    async def _wind_down(self, serving: set[asyncio.Task[None]]) -> None:
        if not serving:
            return
        _, late = await asyncio.wait(serving, timeout=self._pace.grace.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _serve(self, claim: Claim) -> None:
        """Deliver what is left over, then run the conversation's turns until none waits."""
        try:
            async with self._renewed(claim):
                for delivery in await self._store.outbox.pending(claim):
                    await self._deliver(claim, delivery)
                while not self._closing:
                    work = await self._store.turns.begin(claim, history=HISTORY)
                    if work is None:
                        break
                    await self._run(claim, work)
        except LeaseLost:
            log.info("conversation taken over or erased", conversation=claim.conversation.encode())
        except ParleyError as error:
            log.warning("turn interrupted", conversation=claim.conversation.encode(), error=str(error))
            await asyncio.sleep(self._pace.retry.total_seconds())
        except Exception:
            log.exception("turn failed", conversation=claim.conversation.encode())
            await asyncio.sleep(self._pace.retry.total_seconds())
        finally:
            await self._release(claim)

    @asynccontextmanager
    async def _renewed(self, claim: Claim) -> AsyncIterator[None]:
        """Keep the lease alive; where it is lost, interrupt the work with LeaseLost."""
        worker = asyncio.current_task()
        lost: LeaseLost | None = None

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(self._pace.renew.total_seconds())
                try:
                    await self._store.claims.renew(claim, lease=self._pace.lease)
                except LeaseLost as error:
                    lost = error
                    if worker is not None:
                        worker.cancel()
                    return
                except StoreError as error:
                    log.warning("lease not renewed", conversation=claim.conversation.encode(), error=str(error))

        renewal = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if lost is None or worker is None or worker.uncancel() > 0:
                raise
            raise lost from None
        finally:
            renewal.cancel()
            await asyncio.wait({renewal})

    async def _release(self, claim: Claim) -> None:
        with suppress(StoreError):
            await self._store.claims.release(claim)
            await self._bus.publish("wake", claim.conversation.encode())

    async def _run(self, claim: Claim, work: Work) -> None:
        turn = work.turn
        draft = Draft()
        persona: Persona | None = None
        state: Literal[TurnState.DONE, TurnState.STOPPED, TurnState.FAILED] = TurnState.DONE
        try:
            persona = self._personas.get(turn.persona)
            if turn.attempt > MAX_ATTEMPTS:
                draft.text = turn.text
                state = self._give_up(draft, turn, notices.INTERRUPTED)
            elif turn.stop_requested or not await self._answer(claim, work, persona, draft):
                state = TurnState.STOPPED
        except UnknownPersona as error:
            log.warning("persona is gone", turn=turn.id, error=str(error))
            state = self._give_up(draft, turn, notices.NO_PERSONA)
        except PromptTooLong as error:
            log.warning("question too long", turn=turn.id, error=str(error))
            state = self._give_up(draft, turn, notices.TOO_LONG)
        except EngineError as error:
            log.warning("attempt failed", turn=turn.id, attempt=turn.attempt, error=str(error))
            if turn.attempt < MAX_ATTEMPTS:
                raise
            state = self._give_up(draft, turn, notices.INTERRUPTED)
        outcome = Outcome(
            state=state,
            text=draft.text,
            persona_version=persona.version if persona else "",
            sources=draft.sources,
            budget=draft.budget,
            finished=draft.finished,
        )
        delivery = await self._store.turns.finish(claim, turn.id, outcome)
        log.info("turn finished", turn=turn.id, persona=turn.persona, state=state.value, attempt=turn.attempt)
        await self._deliver(claim, delivery)

    async def _answer(self, claim: Claim, work: Work, persona: Persona, draft: Draft) -> bool:
        """Stream the answer into its channel. False where it was stopped on request."""
        turn = work.turn
        channel = self._channels[turn.conversation.channel]
        async with channel.reply(turn) as reply:
            answering = Answering(
                knowledge=self._knowledge,
                engine=self._engine,
                reply=reply,
                save=lambda text: self._store.turns.save(claim, turn.id, text=text),
                now=self._now,
                draft=draft,
            )
            task = asyncio.create_task(answering.answer(work, persona), name=f"answer {turn.id}")
            try:
                with self._stops.watch(turn.id) as stopped:
                    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
                    if not task.done():
                        return False
                    await task
                    return True
            finally:
                task.cancel()
                await asyncio.wait({task})

    @staticmethod
    def _give_up(draft: Draft, turn: Turn, notice: LocalText) -> Literal[TurnState.FAILED]:
        said = notice.pick(turn.locale)
        draft.text = f"{draft.text.rstrip()}\n\n{said}" if draft.text.strip() else said
        return TurnState.FAILED

    async def _deliver(self, claim: Claim, delivery: Delivery) -> None:
        await self._channels[delivery.conversation.channel].deliver(delivery)
        await self._store.outbox.sent(claim, delivery.turn)

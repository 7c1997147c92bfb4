"""Serves one claimed conversation: delivers what is left over, then runs its turns until none waits."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot import notices
from bot.errors import (
    ChannelBusy,
    ChannelGone,
    EngineBusy,
    EngineError,
    EngineTimeout,
    LeaseLost,
    ParleyError,
    PromptTooLong,
    StoreError,
    StoreUnavailable,
    UnknownPersona,
    UnknownTurn,
)
from bot.facts import facts_in
from bot.lease import Fenced, Lease, Terms
from bot.load import Load
from bot.ports import Bus, Channel, Engine, Exchangeable, Knowledge, Personas, Store, Window
from bot.stops import Stops
from bot.turns import Answering, Draft
from bot.types import Claim, Delivery, Finished, LocalText, Memory, Outcome, Persona, Turn, TurnState, Work

MAX_ATTEMPTS = 3
HISTORY = 60
LONGEST_REST = timedelta(minutes=1)

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a replica works.

    `at_once` conversations are answered at the same time, and `ready` more whose replies need no engine. A turn may
    take `deadline` in all; its progress is saved, and a stop looked for, every `save`. `retry` is the pause after a
    failed attempt, `grace` the time to finish turns when the replica is stopped.
    """

    at_once: int = 64
    ready: int = 8
    terms: Terms = field(default_factory=Terms)
    poll: timedelta = timedelta(seconds=1)
    save: timedelta = timedelta(seconds=1)
    retry: timedelta = timedelta(seconds=1)
    deadline: timedelta = timedelta(minutes=3)
    grace: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a replica serves conversations with. `closing` is set when it shall begin no more turns."""

    store: Store
    bus: Bus
    window: Window
    personas: Personas
    knowledge: Knowledge
    engine: Engine
    channels: Mapping[str, Channel]
    pace: Pace
    load: Load
    now: Callable[[], datetime]
    stops: Stops = field(default_factory=Stops)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, claim: Claim) -> None:
        """Returns with the conversation given back, whatever happens; only cancelling comes through."""
        rest = timedelta()
        waits = True
        try:
            lease = Lease(self.store.claims, claim, self.pace.terms)
            async with lease.held():
                if claim.undelivered:
                    waits = await self._deliver_pending(claim, lease)
                while waits and not self.closing.is_set():
                    kept = await self.window.get(claim.conversation)
                    work = await self.store.turns.begin(claim, history=HISTORY, kept=kept)
                    if work is None:
                        break
                    waits = await self._run(claim, lease, work)
        except LeaseLost:
            log.info("conversation taken over or erased", conversation=claim.conversation.encode())
        except ChannelBusy as error:
            log.info("channel asks to wait", conversation=claim.conversation.encode(), error=str(error))
            rest = error.wait
        except ParleyError as error:
            log.warning("turn interrupted", conversation=claim.conversation.encode(), error=str(error))
            rest = self.pace.retry
        except Exception:
            log.exception("turn failed", conversation=claim.conversation.encode())
            rest = self.pace.retry
        finally:
            if waits:
                await self._release(claim, rest)

    async def _release(self, claim: Claim, rest: timedelta) -> None:
        with suppress(StoreError):
            await self.store.claims.release(claim, rest=rest)
            if not rest:
                await self.bus.publish("wake", claim.conversation.encode())

    async def _run(self, claim: Claim, lease: Lease, work: Work) -> bool:
        """Whether the conversation still waits."""
        began = asyncio.get_running_loop().time()
        turn = work.turn
        try:
            outcome = work.reply or await self._outcome(claim, lease, work)
        except (EngineBusy, asyncio.CancelledError) as error:
            if isinstance(error, EngineBusy) or self.closing.is_set():
                with suppress(StoreError):
                    await self.store.turns.hand_back(claim, turn.id)
            raise
        delivery = await self._finish(claim, turn, outcome)
        if delivery is None:
            return await self._deliver_pending(claim, lease)
        tell = log.debug if outcome.error is None and turn.attempt == 1 else log.info
        tell(
            "turn finished",
            turn=turn.id,
            persona=turn.persona,
            state=outcome.state.value,
            attempt=turn.attempt,
            error=outcome.error,
            **_tokens(outcome.finished),
        )
        if outcome.finished is not None:
            self.load.count(outcome.finished)
        self.load.note(timedelta(seconds=asyncio.get_running_loop().time() - began))
        if delivery.memory == work.memory.version + 1:  # else it changed meanwhile, and the store knows how
            await self.window.put(claim.conversation, after(work, outcome, delivery))
        return await self._deliver(claim, lease, delivery)

    async def _outcome(self, claim: Claim, lease: Lease, work: Work) -> Outcome:
        turn = work.turn
        draft = Draft()
        persona: Persona | None = None
        error: str | None = None
        stopped = turn.stop_requested
        try:
            persona = self.personas.get(turn.persona)
            if turn.attempt > MAX_ATTEMPTS:
                draft.text = turn.text
                error = f"{MAX_ATTEMPTS} attempts were broken off"
                _add(draft, turn, notices.INTERRUPTED)
            elif not stopped:
                stopped = not await self._answer(claim, lease, work, persona, draft)
        except UnknownPersona as fault:
            error = str(fault)
            _add(draft, turn, notices.NO_PERSONA)
        except PromptTooLong as fault:
            error = str(fault)
            _add(draft, turn, notices.TOO_LONG)
        except EngineBusy:
            raise
        except EngineError as fault:
            error = str(fault)
            log.warning("attempt failed", turn=turn.id, attempt=turn.attempt, error=error)
            if turn.attempt < MAX_ATTEMPTS and not isinstance(fault, EngineTimeout):
                raise
            _add(draft, turn, notices.INTERRUPTED)
        return Outcome(
            state=TurnState.FAILED if error else TurnState.STOPPED if stopped else TurnState.DONE,
            text=draft.text,
            persona_version=persona.version if persona else "",
            sources=draft.sources,
            budget=draft.budget,
            finished=draft.finished,
            error=error,
            facts=facts_in(persona.remember, "\n".join(m.text for m in work.question)) if persona else {},
            overflowed=len(work.memory.messages) >= HISTORY
            or (draft.budget is not None and any(left.kind == "history" for left in draft.budget.left_out)),
        )

    async def _answer(self, claim: Claim, lease: Lease, work: Work, persona: Persona, draft: Draft) -> bool:
        """Stream the answer into its channel. False where it was stopped on request. Raises EngineError."""
        turn = work.turn
        with _held(self.engine) as engine:
            async with self.channels[turn.conversation.channel].reply(turn) as reply:
                answering = Answering(
                    knowledge=self.knowledge,
                    engine=engine,
                    reply=Fenced(reply, lease),
                    now=self.now,
                    draft=draft,
                )
                task = asyncio.create_task(answering.answer(work, persona), name=f"answer {turn.id}")
                try:
                    with self.stops.watch(turn.id) as stopped:
                        await self._watch(claim, turn, draft, task, stopped)
                    if not task.done():
                        return False
                    await task
                    return True
                finally:
                    task.cancel()
                    await asyncio.wait({task})

    async def _watch(
        self, claim: Claim, turn: Turn, draft: Draft, task: "asyncio.Task[None]", stopped: "asyncio.Future[None]"
    ) -> None:
        """Return when the answer is whole or shall stop. Its progress is saved now and then, which also tells of a
        stop that the bus did not bring. Raises EngineTimeout, LeaseLost."""
        clock = asyncio.get_running_loop().time
        until = clock() + self.pace.deadline.total_seconds()
        every = self.pace.save.total_seconds()
        while True:
            pause = min(every, until - clock())
            done, _ = await asyncio.wait({task, stopped}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
            if clock() >= until:
                raise EngineTimeout(f"there was no whole answer within {self.pace.deadline.total_seconds():g} s")
            try:
                if await self.store.turns.save(claim, turn.id, text=draft.text):
                    return
            except StoreUnavailable as error:
                log.warning("progress not saved", turn=turn.id, error=str(error))

    async def _finish(self, claim: Claim, turn: Turn, outcome: Outcome) -> Delivery | None:
        """Store the outcome, again where the database was away for a moment, so that the answer is not thrown away.

        None where an earlier try turns out to have been stored.
        """
        tried = False
        while True:
            try:
                return await self.store.turns.finish(claim, turn.id, outcome)
            except UnknownTurn:
                if not tried:
                    raise
                return None
            except StoreUnavailable as error:
                log.warning("turn not stored yet", turn=turn.id, error=str(error))
                tried = True
                await asyncio.sleep(self.pace.retry.total_seconds())

    async def _deliver_pending(self, claim: Claim, lease: Lease) -> bool:
        """Whether the conversation still waits."""
        waits = True
        for delivery in await self.store.outbox.pending(claim):
            waits = await self._deliver(claim, lease, delivery)
        return waits

    async def _deliver(self, claim: Claim, lease: Lease, delivery: Delivery) -> bool:
        """Show the reply; whether the conversation still waits. Raises ChannelBusy with the time until the next
        attempt."""
        await lease.ensure()
        try:
            await self.channels[delivery.conversation.channel].deliver(delivery)
        except ChannelGone as error:
            log.warning("reply given up", turn=delivery.turn, error=str(error))
            await self.store.outbox.give_up(claim, delivery.turn, error=str(error))
            return True
        except (ChannelBusy, LeaseLost):
            raise
        except Exception as error:
            log.warning("reply not delivered", turn=delivery.turn, attempt=delivery.attempt, exc_info=error)
            wait = min(self.pace.retry * 2 ** min(delivery.attempt, 16), LONGEST_REST)
            raise ChannelBusy("the channel failed", wait=wait) from error
        return await self.store.outbox.sent(claim, delivery.turn)


def _held(engine: Engine) -> AbstractContextManager[Engine]:
    """The engine that answers now, for the length of an answer."""
    return engine.held() if isinstance(engine, Exchangeable) else nullcontext(engine)


def after(work: Work, outcome: Outcome, delivery: Delivery) -> Memory:
    """What is remembered once the turn has ended, as the store would read it."""
    said = [*work.question, delivery.message] if outcome.persona_version else []
    if not outcome.text and outcome.state is not TurnState.STOPPED:
        said = []
    messages = (*work.memory.messages, *(message for message in said if message.text))
    facts = {name: value for name, value in {**work.memory.facts, **outcome.facts}.items() if value}
    return Memory(
        version=delivery.memory,
        messages=messages[-HISTORY:],
        summary=work.memory.summary,
        facts=dict(sorted(facts.items())),
    )


def _add(draft: Draft, turn: Turn, notice: LocalText) -> None:
    said = notice.pick(turn.locale)
    draft.text = f"{draft.text.rstrip()}\n\n{said}" if draft.text.strip() else said


def _tokens(finished: Finished | None) -> dict[str, int]:
    """For the log, where the model answered."""
    if finished is None:
        return {}
    return {
        "prompt_tokens": finished.prompt_tokens,
        "cached_tokens": finished.cached_tokens,
        "new_tokens": finished.new_tokens,
    }

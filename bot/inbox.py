"""accept(): the only way a message comes in, whatever the channel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot import notices
from bot.commands import Command, Order, Situation, change_of, order_in, reply_to
from bot.errors import UnknownPersona
from bot.load import Load
from bot.ports import Bus, Limiter, Personas, Store, Window
from bot.retention import kept_for
from bot.types import (
    Accepted,
    Bounds,
    ConversationKey,
    Erased,
    Inbound,
    LocalText,
    Overlap,
    Person,
    Persona,
    Rate,
    Rating,
    Turn,
    TurnState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often a person, a conversation and a tenant may write. None: as often as they like."""

    user: Rate | None = None
    conversation: Rate | None = None
    tenant: Rate | None = None

    def buckets(self, inbound: Inbound) -> Mapping[str, Rate]:
        key = inbound.conversation
        tenant = f"{key.channel}:{key.tenant}"
        rates = {
            f"user:{tenant}:{inbound.author.id}": self.user,
            f"conversation:{key.encode()}": self.conversation,
            f"tenant:{tenant}": self.tenant,
        }
        return {name: rate for name, rate in rates.items() if rate is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInbox:
    """Commits messages before they are confirmed. `routes` names for each channel the persona of its rooms;
    the key `default` stands for rooms it does not name. `keep` is how long messages are kept; None: for good."""

    store: Store
    bus: Bus
    limiter: Limiter
    window: Window
    personas: Personas
    routes: Mapping[str, Mapping[str, str]]
    load: Load
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)
    keep: timedelta | None = timedelta(days=30)
    now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone()

    async def accept(self, inbound: Inbound) -> Accepted | None:
        if inbound.author.is_self or not inbound.addressed:
            return None
        key = inbound.conversation
        rooms = self.routes[key.channel]
        persona = rooms.get(key.room, rooms["default"])
        buckets = self.limits.buckets(inbound)
        wait = await self.limiter.take(buckets) if buckets else None
        order = order_in(inbound.text)
        if wait:
            said = _say(notices.SLOWER, max(1, round(wait.total_seconds())), inbound.locale)
            accepted = await self.store.intake.answer(inbound, persona=persona, reply=said, state=TurnState.FAILED)
        elif order is not None:
            accepted = await self._obey(order, inbound, persona)
        else:
            accepted = await self.store.intake.accept(
                inbound,
                persona=persona,
                overlap=self._overlap,
                bounds=self.bounds,
                busy=_say(notices.BUSY, self.load.wait(self.bounds.backlog), inbound.locale),
            )
        if accepted.interrupts is not None:
            await self.bus.publish("stop", accepted.interrupts)
        await self.bus.publish("wake", key.encode())
        return accepted

    async def stop(self, turn: str) -> Turn | None:
        found = await self.store.turns.request_stop(turn)
        if found is not None and not found.state.is_final:
            await self.bus.publish("stop", turn)
        return found

    async def rate(self, turn: str, rating: Literal["up", "down"], *, comment: str | None = None) -> bool:
        found = await self.store.turns.get(turn)
        persona = None if found is None else self._known(found.persona)
        told = persona is not None and persona.rating_notice is not None
        return await self.store.turns.rate(turn, Rating(rating=rating, comment=comment, may_train=told))

    async def edit(self, inbound: Inbound) -> Accepted | None:
        key = inbound.conversation
        if inbound.message_id is None or inbound.author.is_self:
            return None
        if await self.store.intake.edit(key.channel, key.tenant, inbound.message_id, text=inbound.text):
            return None
        there = await self.store.conversations.get(key)
        persona = None if there is None else self._known(there.persona)
        if persona is None or persona.edits == "ignore":
            return None
        return await self.accept(replace(inbound, message_id=None))

    async def retract(self, channel: str, tenant: str, message_id: str) -> None:
        retracted = await self.store.intake.retract(channel, tenant, message_id)
        if retracted is not None:
            key = retracted.conversation
            await self._let_go(Erased(changed=(key,), cut=(retracted.cut,) if retracted.cut else ()))

    async def erase(self, whom: ConversationKey | Person) -> None:
        if isinstance(whom, Person):
            await self._let_go(await self.store.records.erase(whom))
            return
        newest = await self.store.turns.newest(whom)
        await self.store.conversations.erase(whom)
        cut = (newest.id,) if newest is not None and not newest.state.is_final else ()
        await self._let_go(Erased(gone=(whom,), cut=cut))

    async def _obey(self, order: Order, inbound: Inbound, persona: str) -> Accepted:
        """Answer a command, with what it asks for done in the same transaction."""
        key = inbound.conversation
        there = await self.store.conversations.get(key)
        name = there.persona if there else persona
        newest = await self.store.turns.newest(key)
        running = newest.id if newest is not None and not newest.state.is_final else None
        situation = Situation(
            locale=order.language or inbound.locale or (there.locale if there else None) or self._first_language(name),
            personas=self.personas.all() if inbound.may_choose else (),
            memory=await self.store.memories.read(key) if order.command is Command.MEMORY else None,
            keep=self._keep(name),
            running=running is not None,
            rating_notice=self._rating_notice(name),
            now=self.now(),
        )
        change = change_of(order, situation)
        accepted = await self.store.intake.answer(
            inbound, persona=persona, reply=reply_to(order, situation), change=change
        )
        if accepted.duplicate:
            return accepted
        if order.command is Command.STOP and running is not None:
            await self.stop(running)
        if change is not None:
            cut = (running,) if change.forget and running else ()
            await self._let_go(Erased(changed=(key,), cut=cut))
        return accepted

    async def _let_go(self, erased: Erased) -> None:
        """Stop what runs no more, and drop what is held beside the database."""
        for turn in erased.cut:
            await self.bus.publish("stop", turn)
        for key in (*erased.gone, *erased.changed):
            await self.bus.forget(key)
            await self.window.forget(key)
        for key in erased.changed:
            await self.bus.publish("wake", key.encode())

    def _known(self, name: str) -> Persona | None:
        try:
            return self.personas.get(name)
        except UnknownPersona:
            return None

    def _keep(self, name: str) -> timedelta | None:
        persona = self._known(name)
        return self.keep if persona is None else kept_for(persona, self.keep)

    def _rating_notice(self, name: str) -> LocalText | None:
        persona = self._known(name)
        return None if persona is None else persona.rating_notice

    def _first_language(self, name: str) -> str | None:
        persona = self._known(name)
        return None if persona is None else persona.languages[0]

    def _overlap(self, name: str) -> Overlap:
        persona = self._known(name)
        return "queue" if persona is None else persona.overlap


def _say(notice: LocalText, seconds: int, locale: str | None) -> str:
    return notice.pick(locale).format(seconds=seconds)

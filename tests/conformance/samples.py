"""What the suites of the store and the bus are made of: messages, outcomes, a clock that is set by hand."""

from datetime import UTC, datetime, timedelta

from bot.ports import Store
from bot.types import (
    Author,
    Budget,
    Claim,
    ConversationKey,
    Delivery,
    Finished,
    Inbound,
    LeftOut,
    Outcome,
    Source,
    TurnState,
    Work,
)

LEASE = timedelta(seconds=15)
SENT_AT = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
CHANNELS = ("web", "slack")


class Clock:
    """Seconds since 1970; moves only when told."""

    def __init__(self) -> None:
        self.seconds = 1_770_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, time: timedelta) -> None:
        self.seconds += time.total_seconds()


def key(room: str = "room", *, channel: str = "web") -> ConversationKey:
    return ConversationKey(channel=channel, tenant="shop", room=room)


def inbound(
    event: str,
    *,
    room: str = "room",
    text: str | None = None,
    message: str | None = None,
    channel: str = "web",
    locale: str | None = None,
) -> Inbound:
    return Inbound(
        event_id=event,
        message_id=message,
        conversation=key(room, channel=channel),
        author=Author(id="u1", name="Ann"),
        text=f"question {event}" if text is None else text,
        received_at=SENT_AT,
        locale=locale,
    )


def outcome(text: str = "an answer", state: TurnState = TurnState.DONE, *, sources: tuple[Source, ...] = ()) -> Outcome:
    return Outcome(
        state=state,  # type: ignore[arg-type]
        text=text,
        persona_version="v1",
        sources=sources,
        budget=Budget(context=100, reserved=20, prompt=60, left_out=(LeftOut(kind="history", what="m1", tokens=7),)),
        finished=Finished(reason="stop", prompt_tokens=60, new_tokens=5, cached_tokens=40),
    )


async def accept(store: Store, event: str, *, room: str = "room", text: str | None = None) -> str:
    """The turn of a new message."""
    accepted = await store.intake.accept(inbound(event, room=room, text=text), persona="tutor")
    assert not accepted.duplicate
    return accepted.turn


async def claimed(store: Store, holder: str = "a") -> Claim:
    claim = await store.claims.claim(holder, channels=CHANNELS, lease=LEASE)
    assert claim is not None
    return claim


async def begun(store: Store, claim: Claim, *, history: int = 50) -> Work:
    work = await store.turns.begin(claim, history=history)
    assert work is not None
    return work


async def answered(store: Store, event: str, *, room: str = "room", text: str = "an answer") -> Delivery:
    """A conversation's next question, answered and delivered."""
    await accept(store, event, room=room)
    claim = await claimed(store)
    work = await begun(store, claim)
    delivery = await store.turns.finish(claim, work.turn.id, outcome(text))
    await store.outbox.sent(claim, work.turn.id)
    await store.claims.release(claim)
    return delivery


async def texts(store: Store, room: str = "room") -> list[str]:
    return [message.text for message in await store.conversations.messages(key(room), limit=1000)]

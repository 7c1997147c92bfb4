"""Checks that the suites run on whole stores, and that the controls run on broken ones, where each must fail."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

from bot.errors import LeaseLost
from bot.ports import Store
from bot.types import Bounds, TurnState
from tests.conformance.samples import (
    CHANNELS,
    LEASE,
    Clock,
    accept,
    begun,
    claimed,
    inbound,
    key,
    outcome,
    texts,
)


async def duplicates_make_no_second_turn(store: Store) -> None:
    first = await store.intake.accept(inbound("e1", message="m1"), persona="tutor")
    again = [inbound("e1", message="m1"), inbound("e1"), inbound("e2", message="m1")]
    for repeated in again:
        accepted = await store.intake.accept(repeated, persona="tutor")
        assert accepted.duplicate
        assert accepted.turn == first.turn
    assert await texts(store) == ["question e1"]
    at_once = await asyncio.gather(
        *(store.intake.accept(inbound(f"f{n % 2}", message="m2"), persona="tutor") for n in range(40))
    )
    assert len({accepted.turn for accepted in at_once}) == 1
    assert sum(not accepted.duplicate for accepted in at_once) == 1
    assert len(await texts(store)) == 2


async def stale_claims_write_nothing(store: Store, clock: Clock) -> None:
    turn = await accept(store, "e1")
    stale = await claimed(store, "a")
    await begun(store, stale)
    clock.pass_(LEASE)
    fresh = await claimed(store, "b")
    work = await begun(store, fresh)
    await store.turns.save(fresh, turn, text="fresh")
    assert await _refused(store.claims.renew(stale, lease=LEASE))
    assert await _refused(store.turns.begin(stale, history=5))
    assert await _refused(store.turns.save(stale, turn, text="stale"))
    assert await _refused(store.turns.finish(stale, turn, outcome("stale")))
    now = await store.turns.get(turn)
    assert now is not None
    assert (now.text, now.attempt, now.state) == ("fresh", work.turn.attempt, TurnState.RUNNING)
    assert await texts(store) == ["question e1"]
    delivery = await store.turns.finish(fresh, turn, outcome("fresh answer"))
    assert await _refused(store.outbox.pending(stale))
    assert await _refused(store.outbox.sent(stale, turn))
    assert await store.outbox.pending(fresh) == (replace(delivery, attempt=2),)
    clock.pass_(LEASE)
    assert await store.claims.claim("c", channels=CHANNELS, lease=LEASE) is not None


async def many_at_once_keep_order(store: Store, *, rooms: int = 10, each: int = 6, workers: int = 30) -> None:
    """Messages, repeated messages and workers all at once: every message answered once, in order."""

    async def write(room: str) -> None:
        for n in range(each):
            message = inbound(f"{room}-{n}", room=room, text=str(n))
            for _ in range(2):
                await store.intake.accept(message, persona="tutor", bounds=Bounds(waiting=each))

    sent: dict[str, list[str]] = {f"room{n}": [] for n in range(rooms)}

    async def work(holder: str) -> None:
        while sum(map(len, sent.values())) < rooms * each:
            claim = await store.claims.claim(holder, channels=CHANNELS, lease=LEASE)
            if claim is None:
                await asyncio.sleep(0.002)
                continue
            waits = True
            while waits and (found := await store.turns.begin(claim, history=4)):
                answer = f"re {found.question[0].text}"
                await store.turns.save(claim, found.turn.id, text=answer[:2])
                await store.turns.finish(claim, found.turn.id, outcome(answer))
                for delivery in await store.outbox.pending(claim):
                    sent[claim.conversation.room].append(delivery.message.text)
                    waits = await store.outbox.sent(claim, delivery.turn)
            if waits:
                await store.claims.release(claim)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for room in sent:
            group.create_task(write(room))
        for n in range(workers):
            group.create_task(work(f"worker{n}"))
    for room, answers in sent.items():
        assert answers == [f"re {n}" for n in range(each)]
        expected = [text for n in range(each) for text in (str(n), f"re {n}")]
        assert [m.text for m in await store.conversations.messages(key(room), limit=100)] == expected


async def _refused(write: Awaitable[object]) -> bool:
    try:
        await write
    except LeaseLost:
        return True
    return False

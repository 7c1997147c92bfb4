"""What the warm memory window saves: beginning a turn after forty messages, read from SQL or kept."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta

from bot.ports import Shared, Store
from bot.types import Author, Claim, ConversationKey, Inbound, Memory, Outcome, TurnState, new_id
from storage.local import plugin as local
from storage.redis import plugin as redis
from storage.sql import plugin as sql
from tests.benchmarks.report import Row, shown
from tests.benchmarks.turns import sqlite
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

_KEY = ConversationKey(channel="fake", tenant="t", room="r")
_TIMES = 500


@contextmanager
def postgres() -> Iterator[str]:
    with PostgresServer() as server, server.database() as name:
        yield server.url(name)


DATABASES: Mapping[str, Callable[[], AbstractContextManager[str]]] = {"SQLite": sqlite, "PostgreSQL": postgres}


async def rows() -> list[Row]:
    found: list[Row] = []
    with RedisServer() as server:
        for name, database in DATABASES.items():
            with database() as url:
                async with (
                    sql.open(sql.settings(url=url)) as store,
                    local.open(local.settings()) as near,
                    redis.open(redis.settings(url=server.url)) as far,
                ):
                    claim, memory = await _talked(store)
                    for kept, shared in (("nothing kept", None), ("kept in process", near), ("kept in Redis", far)):
                        if shared is not None:
                            await shared.window.put(_KEY, memory)
                        times = [await _begin(store, claim, shared) for _ in range(_TIMES)]
                        found.append(Row(f"begin a turn, {name}, {kept}", shown(times)))
    return found


async def _begin(store: Store, claim: Claim, shared: Shared | None) -> float:
    began = time.perf_counter()
    kept = None if shared is None else await shared.window.get(_KEY)
    work = await store.turns.begin(claim, history=60, kept=kept)
    took = time.perf_counter() - began
    if work is None or len(work.memory.messages) != 40:
        raise RuntimeError(f"the turn began with another memory: {work!r}")
    await store.turns.hand_back(claim, work.turn.id)
    return took


async def _talked(store: Store) -> tuple[Claim, Memory]:
    """A claimed conversation of twenty answered questions in which one more waits, and its memory."""
    for number in range(21):
        await store.intake.accept(_said(number), persona="helper")
        claim = await store.claims.claim("bench", channels=["fake"], lease=timedelta(hours=1))
        if claim is None:
            raise RuntimeError("the conversation is not to be had")
        work = await store.turns.begin(claim, history=60)
        if work is None:
            raise RuntimeError("no turn waits")
        if number == 20:
            await store.turns.hand_back(claim, work.turn.id)
            return claim, work.memory
        outcome = Outcome(state=TurnState.DONE, text="words " * 33, persona_version="v1")
        await store.turns.finish(claim, work.turn.id, outcome)
        await store.outbox.sent(claim, work.turn.id)
        await store.claims.release(claim)
    raise AssertionError


def _said(number: int) -> Inbound:
    return Inbound(
        event_id=f"{number}-{new_id()}",
        conversation=_KEY,
        author=Author(id="u", name="Ann"),
        text="words " * 33,
        received_at=datetime.now(UTC),
    )

"""Turns a second of 1, 2 and 4 replicas on one PostgreSQL and one Redis, with an instant engine.

Replicas, databases and visitors share this machine: with fewer cores than processes the figures show what sharing
costs, not what more machines would bring.
"""

import os
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from tests.benchmarks.load import load
from tests.benchmarks.parley import ANSWER, parley
from tests.benchmarks.report import Row, shown
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

REPLICAS = (1, 2, 4)
CONVERSATIONS = 100
TURNS = 2000


async def rows() -> list[Row]:
    return [await _measure(replicas) for replicas in REPLICAS]


async def _measure(replicas: int) -> Row:
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        database = postgres.url(stack.enter_context(postgres.database()))
        bus = {"use": "redis", "url": stack.enter_context(RedisServer()).url}
        servers = []
        for _ in range(replicas):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            servers.append(await stack.enter_async_context(parley(folder, database_url=database, bus=bus)))
        found = await load(
            "parley",
            [("127.0.0.1", server.port) for server in servers],
            conversations=CONVERSATIONS,
            turns=TURNS,
            expect=ANSWER,
        )
    name = f"PostgreSQL and Redis, {replicas} {'replica' if replicas == 1 else 'replicas'}, {os.cpu_count()} cores"
    return Row(name, f"{found.rate:.0f} turns/s, {shown(found.times)}")

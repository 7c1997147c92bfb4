"""kill -9: what was confirmed is there, what was not committed is not, and the file is whole."""

import asyncio
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from storage.sql import SqlSettings, open_store
from tests.conformance.samples import begun, claimed, key, outcome

WRITES = """
import asyncio, sys, time
from bot.types import Bounds, new_id
from storage.sql import SqlSettings, open_store
from tests.conformance.samples import inbound

async def main():
    async with open_store(SqlSettings(url=sys.argv[1])) as store:
        print("open", flush=True)
        async def write(room):
            for n in range(10**6):
                await store.intake.accept(inbound(f"{room}-{n}-{new_id()}", room=room, text=str(n)),
                                          persona="tutor", bounds=Bounds(waiting=10**6))
                print(room, n, flush=True)
        await asyncio.gather(*(write(f"room{n}") for n in range(5)))

asyncio.run(main())
"""

STOPS_BEFORE_COMMIT = """
import asyncio, sys, time
from bot.types import Bounds
from storage.sql import SqlSettings, open_store
from tests.conformance.samples import inbound

async def main():
    async with open_store(SqlSettings(url=sys.argv[1])) as store:
        await store.intake.accept(inbound("before"), persona="tutor")
        def work(connection):
            received = store.intake._receive(connection, inbound("during"), persona="tutor")
            received.queue(lambda persona: "queue", Bounds(), "")
            print("inserted", flush=True)
            time.sleep(60)
        await store.database.write(work)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_every_confirmed_message_survives_a_kill_at_any_moment(url: str, tmp_path: Path) -> None:
    confirmed: dict[str, list[int]] = {}
    for _ in range(4):
        child = _start(WRITES, url)
        assert child.stdout is not None
        child.stdout.readline()
        await asyncio.sleep(random.uniform(0.02, 0.4))
        child.kill()
        lines, _ = child.communicate(timeout=30)
        said = dict.fromkeys((f"room{n}" for n in range(5)), -1)
        for line in lines.splitlines():
            room, _, number = line.partition(" ")
            if number:
                said[room] = int(number)
        for room, last in said.items():
            confirmed.setdefault(room, []).append(last)
        _is_whole(tmp_path)
    assert max(map(max, confirmed.values())) > 0
    async with open_store(SqlSettings(url=url)) as store:
        for room, lasts in confirmed.items():
            found = [int(m.text) for m in await store.conversations.messages(key(room), limit=10**6)]
            lives = _split(found)
            assert all(life == list(range(len(life))) for life in lives)
            assert sorted(found) == sorted(n for life in lives for n in life)
            stored = iter(len(life) - 1 for life in lives)
            for last in (last for last in lasts if last >= 0):
                assert any(newest >= last for newest in stored)
        claim = await claimed(store)
        work = await begun(store, claim)
        await store.turns.finish(claim, work.turn.id, outcome())


async def test_a_message_whose_commit_did_not_happen_is_not_there(url: str, tmp_path: Path) -> None:
    child = _start(STOPS_BEFORE_COMMIT, url)
    assert child.stdout is not None
    assert child.stdout.readline() == "inserted\n"
    child.kill()
    child.communicate(timeout=30)
    _is_whole(tmp_path)
    async with open_store(SqlSettings(url=url)) as store:
        assert [m.text for m in await store.conversations.messages(key())] == ["question before"]


def _split(numbers: list[int]) -> list[list[int]]:
    """One list for each life of the process: each counts from 0."""
    lives: list[list[int]] = []
    for number in numbers:
        if number == 0:
            lives.append([])
        lives[-1].append(number)
    return lives


def _start(program: str, url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True)


def _is_whole(folder: Path) -> None:
    raw = sqlite3.connect(folder / "parley.db")
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()

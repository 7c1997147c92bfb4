"""A turn as a visitor of the web channel sees it, beside Chainlit's: an instant engine of 20 tokens for both.

Parley stores every message on disk, Chainlit stores none. Both run as their commands start them, on the same core,
round by round in turns; their visitors run on another.
"""

import tempfile
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from tests.benchmarks.cores import core
from tests.benchmarks.load import Load, load
from tests.benchmarks.parley import ANSWER, TOKENS, parley
from tests.benchmarks.report import Row, milliseconds
from tests.benchmarks.rival import chainlit

ROUNDS = 3
CROWDS = {1: 200, 50: 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """`server` is the CPU time of one turn in seconds."""

    load: Load
    server: float


async def measure(kind: str, port: int, pid: int, *, conversations: int, turns: int) -> Round:
    process = psutil.Process(pid)
    before = process.cpu_times()
    with core(1):
        found = await load(kind, [("127.0.0.1", port)], conversations=conversations, turns=turns, expect=ANSWER)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return Round(load=found, server=spent / found.turns)


async def rows() -> list[Row]:
    rounds: dict[tuple[str, int], list[Round]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        ours, theirs = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        with core(0):
            server = await stack.enter_async_context(parley(ours))
            rival = await stack.enter_async_context(chainlit(theirs, TOKENS))
        assert server.process is not None
        for conversations, turns in CROWDS.items():
            for _ in range(ROUNDS):
                for kind, (port, pid) in (("chainlit", rival), ("parley", (server.port, server.process.pid))):
                    one = await measure(kind, port, pid, conversations=conversations, turns=turns)
                    rounds[kind, conversations].append(one)
    found: list[Row] = []
    for conversations in CROWDS:
        found += _compare(rounds["parley", conversations], rounds["chainlit", conversations], conversations)
    return found


def _compare(ours: list[Round], theirs: list[Round], conversations: int) -> list[Row]:
    rate = median(one.load.rate for one in ours) / median(one.load.rate for one in theirs)
    p50 = median(one.load.p50 for one in ours) / median(one.load.p50 for one in theirs)
    return [
        Row(f"Parley, {conversations} at once", _shown(ours)),
        Row(f"Chainlit 2.12, {conversations} at once", _shown(theirs)),
        Row(f"Parley to Chainlit, {conversations} at once", f"{rate:.2f} × the turns/s, {p50:.2f} × the p50"),
    ]


def _shown(rounds: list[Round]) -> str:
    """The median over the rounds of each figure."""
    p50, p99 = (milliseconds(median(getattr(one.load, name) for one in rounds)) for name in ("p50", "p99"))
    rate, client = (median(getattr(one.load, name) for one in rounds) for name in ("rate", "client"))
    server = milliseconds(median(one.server for one in rounds))
    return f"p50 {p50}, p99 {p99}, {rate:.0f} turns/s; server CPU {server} a turn, visitors' core {client:.0%} busy"

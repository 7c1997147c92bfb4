"""What a turn costs outside the engine: an instant scripted engine of 20 words, everything stored on disk."""

from tests.benchmarks.report import Row, shown
from tests.benchmarks.turns import measure, sqlite


async def rows() -> list[Row]:
    found: list[Row] = []
    for conversations, turns in ((1, 300), (100, 3000)):
        with sqlite() as url:
            times, rate = await measure(url, conversations=conversations, turns=turns)
        found.append(Row(f"turn outside the engine, {conversations} at once", f"{shown(times)}, {rate:.0f} turns/s"))
    return found

"""make bench: measure and print. `make bench ARGS="overhead answers"` runs some; `--verbose` shows each answer."""

import argparse
import asyncio
import inspect
import json
import platform
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from bot.cli.logs import configure
from bot.config import LogSettings
from tests.benchmarks import (
    answers,
    channels,
    discord,
    durability,
    filled,
    fresh,
    loop,
    overhead,
    replicas,
    resident,
    sharing,
    slack,
    speed,
    warm,
)
from tests.benchmarks.engine import run as engine
from tests.benchmarks.engine.shapes import SHAPES
from tests.benchmarks.report import Row

Benchmark = Callable[[], list[Row] | Awaitable[list[Row]]]


def benchmarks(
    *, verbose: bool = False, shapes: tuple[str, ...] = tuple(SHAPES), every: bool = False
) -> Mapping[str, Benchmark]:
    return {
        "overhead": overhead.rows,
        "sharing": sharing.rows,
        "channels": channels.rows,
        "slack": slack.rows,
        "discord": discord.rows,
        "replicas": replicas.rows,
        "durability": durability.rows,
        "filled": filled.rows,
        "resident": resident.rows,
        "warm": warm.rows,
        "speed": speed.rows,
        "answers": partial(answers.rows, verbose=verbose),
        "loop": partial(loop.rows, verbose=verbose),
        "fresh": fresh.rows,
        "engine": partial(engine.rows, shapes=shapes, every=every),
    }


async def run(benchmark: Benchmark) -> list[Row]:
    found = benchmark()
    return await found if inspect.isawaitable(found) else found


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*benchmarks(), []], default=[])
    parser.add_argument("--verbose", action="store_true", help="print every question with its answers")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="the engine's models, with commas: b, c, d")
    parser.add_argument("--every", action="store_true", help="the engine's models at every number of conversations")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    configure(LogSettings(level="error"))
    shapes = tuple(given.shapes.split(","))
    if unknown := [shape for shape in shapes if shape not in SHAPES]:
        parser.error(f"there is no shape {unknown[0]!r}; choose from {', '.join(SHAPES)}")
    known = benchmarks(verbose=given.verbose, shapes=shapes, every=given.every)
    found: list[Row] = []
    for name in given.which or known:
        print(f"… {name}", file=sys.stderr)
        found += asyncio.run(run(known[name]))
    print(f"Python {platform.python_version()}, {platform.machine()}")
    for row in found:
        print(f"{row.name:68} {row.value}")
    if given.json:
        given.json.write_text(json.dumps({row.name: row.value for row in found}, indent=2))


main()

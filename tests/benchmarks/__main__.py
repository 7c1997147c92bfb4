"""make bench: measure and print. `make bench ARGS="overhead answers"` runs some; `--verbose` shows each answer."""

import argparse
import asyncio
import json
import platform
import sys
from pathlib import Path

from bot.cli.logs import configure
from bot.config import LogSettings
from tests.benchmarks import answers, fresh, overhead, speed
from tests.benchmarks.report import Row


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("which", nargs="*", choices=["overhead", "speed", "answers", "fresh", []], default=[])
    parser.add_argument("--verbose", action="store_true", help="print every question with its answers")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    configure(LogSettings(level="error"))
    found: list[Row] = []
    for name in given.which or ["overhead", "speed", "answers", "fresh"]:
        print(f"… {name}", file=sys.stderr)
        match name:
            case "overhead":
                found += asyncio.run(overhead.rows())
            case "speed":
                found += asyncio.run(speed.rows())
            case "answers":
                found += asyncio.run(answers.rows(verbose=given.verbose))
            case "fresh":
                found += fresh.rows()
    print(f"Python {platform.python_version()}, {platform.machine()}")
    for row in found:
        print(f"{row.name:44}{row.value}")
    if given.json:
        given.json.write_text(json.dumps({row.name: row.value for row in found}, indent=2))


main()

"""The crash soak: `make soak`, or `python -m tests.crash --help`."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.crash.cases import Size
from tests.crash.soak import Soak

_FULL_MINUTES = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--case", action="append", help="only cases whose names begin so, for example 1; repeatable")
    parser.add_argument("--turns", type=int, default=1000, help="turns of case 1")
    parser.add_argument("--kills", type=int, default=200, help="kills of case 1")
    parser.add_argument("--minutes", type=float, default=_FULL_MINUTES, help="about how long: all cases shrink to fit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    databases = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    size = Size(turns=given.turns, kills=given.kills, share=min(1.0, given.minutes / _FULL_MINUTES))
    console = Console()
    soak = Soak(size, seed=given.seed, databases=databases, only=given.case, console=console)
    asyncio.run(soak.run())
    console.print(_table(soak.rows))
    if given.json:
        given.json.write_text(json.dumps(soak.rows, indent=2))
    return 1 if soak.faults else 0


_COLUMNS = (
    "messages", "lost", "duplicated", "reordered", "wrong text", "stale writes", "two holders", "early", "failed turns",
    "take-over p50", "take-over max", "answer p99", "seconds",
)  # fmt: skip
_STRUCK = (
    "kills", "pauses", "deaths at points", "database stops", "Redis kills", "Redis flushes", "lost answers", "cuts",
    "cancelled", "foreign",
)  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> Table:
    """A line for each trial; the rest of its figures is in the JSON."""
    table = Table("case", "struck by", *_COLUMNS)
    for row in rows:
        struck = ", ".join(f"{row[name]} {name}" for name in _STRUCK if row.get(name))
        figures = ("" if row.get(name) is None else str(row[name]) for name in _COLUMNS)
        table.add_row(f"{row['case']} ({row['database']})", struck, *figures)
    return table


if __name__ == "__main__":
    sys.exit(main())

"""Runs the parley command as a person at a shell does: in a folder, with pipes or on a real pseudo-terminal."""

import os
from pathlib import Path

from tests.commands import PARLEY, run

__all__ = ["PARLEY", "Result", "parley"]


def parley(
    *arguments: str, cwd: Path, given: str = "", environment: dict[str, str] | None = None, real: bool = False
) -> "Result":
    """`real` runs what people run, at the price of its imports; else it is a fork that does the same."""
    process = run(
        arguments, cwd=cwd, given=given, environment={**os.environ, **(environment or {})}, timeout=90, real=real
    )
    return Result(process.returncode, process.stdout, process.stderr)


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def complaint(self) -> str:
        """The one line of an error beside the log; fails where there is more, or a traceback."""
        lines = [line for line in self.err.strip().splitlines() if not line.startswith("{")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]

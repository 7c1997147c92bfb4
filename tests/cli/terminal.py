"""Runs the parley command as a person at a shell does: in a folder, with pipes or on a real pseudo-terminal."""

import os
import subprocess
import sys
from pathlib import Path

PARLEY = Path(sys.executable).parent / "parley"


def parley(*arguments: str, cwd: Path, given: str = "", environment: dict[str, str] | None = None) -> "Result":
    process = subprocess.run(
        [PARLEY, *arguments],
        cwd=cwd,
        input=given,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, **(environment or {})},
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

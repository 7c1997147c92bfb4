"""What a process uses of the machine."""

import subprocess
from pathlib import Path


def resident(pid: int) -> int | None:
    """Bytes in memory; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return _asked(pid)
    lines = [line.split() for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0][1]) * 1024 if lines else None


def _asked(pid: int) -> int | None:
    """Where there is no /proc."""
    try:
        found = subprocess.run(  # noqa: S603 - a fixed command and a number
            ["ps", "-o", "rss=", "-p", str(pid)],  # noqa: S607 - where ps lies differs by system
            capture_output=True,
            text=True,
            check=True,
        )
        return int(found.stdout) * 1024
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def computed(pid: int) -> float | None:
    """Seconds that its threads have spent computing; None where the system does not tell.

    On a machine that others use too, this says more about a program than the clock does.
    """
    try:
        tasks = [*Path(f"/proc/{pid}/task").glob("*/schedstat")]
        return sum(int(task.read_text(encoding="utf-8").split()[0]) for task in tasks) / 1e9 if tasks else None
    except (OSError, ValueError, IndexError):
        return None

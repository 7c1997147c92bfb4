"""How much memory this process may still take."""

from pathlib import Path


def available(root: Path = Path("/")) -> int | None:
    """Free bytes: the machine's, or what its control group leaves where that is less. None where unknown."""
    known = [size for size in (_machine(root), _group(root)) if size is not None]
    return min(known) if known else None


def _machine(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _group(root: Path) -> int | None:
    try:
        most = (root / "sys/fs/cgroup/memory.max").read_text().strip()
        used = (root / "sys/fs/cgroup/memory.current").read_text().strip()
    except OSError:
        return None
    return max(int(most) - int(used), 0) if most.isdigit() else None

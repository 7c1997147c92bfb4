"""Paths a persona names: inside the folder of its file, and nowhere else."""

from difflib import get_close_matches
from pathlib import Path
from typing import Literal

Verdict = Literal["missing-path", "outside-path"]


def inside(folder: Path, written: str) -> Path | Verdict:
    """The real path of `written` seen from `folder`, or what is wrong with it. Links that lead out are outside."""
    try:
        home = folder.resolve()
        real = (home / written).resolve()
        if not real.is_relative_to(home):
            return "outside-path"
        return real if real.exists() else "missing-path"
    except (OSError, ValueError, RuntimeError):  # a NUL, a name too long, links in a circle
        return "missing-path"


def near(folder: Path, written: str) -> str | None:
    """A path below `folder` that looks like `written`."""
    try:
        around = (folder / written).parent
        if not around.resolve().is_relative_to(folder.resolve()) or not around.is_dir():
            return None
        names = [entry.name for entry in around.iterdir()]
    except (OSError, ValueError, RuntimeError):
        return None
    found = get_close_matches(Path(written).name, names, n=1)
    return (Path(written).parent / found[0]).as_posix() if found else None

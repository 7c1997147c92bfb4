"""The environment of the processes that the engine starts."""

import os
from collections.abc import Mapping
from pathlib import Path

import bot


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours, with `bot` importable wherever it was imported from, and with `extra`."""
    home = str(Path(bot.__file__).parent.parent)
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **extra}

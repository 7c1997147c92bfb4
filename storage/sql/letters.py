"""Words about the model, left beside a SQLite file by a process that may not write into it: a small file each, in the
order of their names. The Parley that has the database open takes them up."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.types import new_id

Letter = Mapping[str, Any]


class Letters:
    def __init__(self, database: Path) -> None:
        self._folder = database.absolute().parent
        self._name = f"{database.name}.model-"

    def leave(self, letter: Letter) -> Path:
        """It is there whole or not at all. Raises OSError."""
        path = self._folder / f"{self._name}{new_id()}"
        draft = path.with_name(f".{path.name}")
        draft.write_text(json.dumps(letter), encoding="utf-8")
        draft.chmod(0o600)
        os.replace(draft, path)  # noqa: PTH105 - as atomic as the word says
        return path

    def waiting(self) -> tuple[tuple[Path, Letter], ...]:
        """The oldest first. What cannot be read as a letter is empty."""
        return tuple((path, _read(path)) for path in sorted(self._folder.glob(f"{self._name}*")))


def _read(path: Path) -> Letter:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

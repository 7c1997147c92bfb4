"""Checkpoints of a phase. One counts only once it is whole: a kill may come while one is written."""

import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

_MARK = "spent.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a phase had spent at its checkpoint; `loss` is the sum over the `steps` since the last line of the log."""

    seconds: float
    loss: float = 0.0
    steps: int = 0


def mark(folder: Path, spent: Spent) -> None:
    """Declare the checkpoint in `folder` whole; written last."""
    part = folder / f"{_MARK}.part"
    part.write_text(json.dumps(asdict(spent)), encoding="utf-8")
    part.replace(folder / _MARK)


def latest(phase: Path) -> tuple[Path, int, Spent] | None:
    """The newest whole checkpoint, its step and what was spent; those cut short are removed."""
    found = []
    for folder in phase.glob("checkpoint-*") if phase.exists() else ():
        number = re.fullmatch(r"checkpoint-(\d+)", folder.name)
        if number and (folder / _MARK).exists():
            found.append((int(number[1]), folder))
        else:
            shutil.rmtree(folder)
    if not found:
        return None
    step, folder = max(found)
    return folder, step, Spent(**json.loads((folder / _MARK).read_text(encoding="utf-8")))

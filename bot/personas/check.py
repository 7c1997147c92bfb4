"""Check persona files without serving them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.personas.folders import persona_files
from bot.personas.messages import Language
from bot.personas.problems import TOP, Problem, Problems
from bot.personas.reading import read_persona


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """`checked` counts the files; `problems` stand in the order of the paths, errors and notes."""

    checked: int
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def notes(self) -> int:
        return len(self.problems) - self.errors


def check(paths: Sequence[Path], *, language: Language = "en") -> CheckReport:
    """Every fault of the named files, and of the personas in the named folders. A missing path is a fault too."""
    found: list[Problem] = []
    checked = 0
    for path in paths:
        faults = Problems(str(path), language)
        try:
            files = persona_files(path) if path.is_dir() else (path,) if path.exists() else ()
        except OSError as error:
            faults.add("unreadable", TOP, reason=error.strerror or error)
        else:
            if not path.exists():
                faults.add("no-such-path", TOP)
            for file in files:
                found += read_persona(file, language=language).problems
            checked += len(files)
        found += faults.all()
    return CheckReport(checked=checked, problems=tuple(found))

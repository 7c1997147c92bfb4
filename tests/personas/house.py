"""A folder of personas to break and mend."""

from pathlib import Path

from bot.personas.messages import Language
from bot.personas.problems import Problem
from bot.personas.reading import Reading, read_persona

HEAD = """\
schema: parley.persona/v1
name: acme
description: Answers questions.
instructions: Help people.
"""


def write(folder: Path, text: str | bytes, *, name: str = "acme.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(folder: Path, text: str | bytes, *, name: str = "acme.yaml", language: Language = "en") -> Reading:
    return read_persona(write(folder, text, name=name), language=language)


def places(problems: tuple[Problem, ...]) -> list[str]:
    """`line:column:code` of each problem."""
    return [f"{p.line}:{p.column}:{p.code}" for p in problems]

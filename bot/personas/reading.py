"""One persona file → a persona, or every fault in it."""

import hashlib
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from bot.personas.building import build_persona
from bot.personas.faults import tell
from bot.personas.messages import Language
from bot.personas.parsing import CONTROL, parse
from bot.personas.positions import Lines, Node
from bot.personas.problems import TOP, Problem, Problems
from bot.personas.rules import check_rules, check_values
from bot.personas.schema import PersonaFile
from bot.types import Persona

MAX_BYTES = 256 * 1024
MAX_LINE = 10_000
MAX_TABS = 20

_TABS = re.compile(r"\t+")
_LINE = re.compile(r"[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a file: a persona exactly where no problem is an error; notes may stand beside it."""

    persona: Persona | None
    problems: tuple[Problem, ...]
    digest: str


def read_persona(path: Path, *, language: Language = "en", known: Reading | None = None) -> Reading:
    """Read and check the file; never raises for what is in it. Problems name it as `path` is written.

    `known` is an earlier reading: it is returned again where it is still right.
    """
    problems = Problems(str(path), language)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            size = max(len(data), path.stat().st_size)
    except OSError as error:
        problems.add("unreadable", TOP, reason=error.strerror or error)
        return Reading(None, problems.all(), "")
    digest = hashlib.sha256(data).hexdigest()
    if known is not None and known.digest == digest and _still_holds(known.persona):
        return known
    if size > MAX_BYTES:
        problems.add("too-big", TOP, size=size, limit=MAX_BYTES)
        return Reading(None, problems.all(), digest)
    persona = read_bytes(data, path=path, problems=problems)
    return Reading(persona, problems.all(), digest)


def _still_holds(persona: Persona | None) -> bool:
    return persona is not None and all(source.path.exists() for source in persona.knowledge)


def read_bytes(data: bytes, *, path: Path, problems: Problems) -> Persona | None:
    """The persona that `data` describes as the content of `path`, or None with the faults in `problems`."""
    text = _decode(data, problems)
    if text is None:
        return None
    root = parse(text, problems)
    if root is None:
        return None
    check_values(root, problems)
    file = _validate(root, problems)
    if isinstance(root.value, dict):
        check_rules(root, text, path, problems)
    if file is None or problems.failed:
        return None
    return build_persona(file, version=hashlib.sha256(data).hexdigest()[:16], folder=path.parent)


def _decode(data: bytes, problems: Problems) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        problems.add("not-utf8", Lines(before).spot(len(before)), byte=f"{data[error.start]:02X}")
        return None
    lines = Lines(text)
    control = CONTROL.search(text)
    if control is not None:
        problems.add("control-character", lines.spot(control.start()), number=f"{ord(control.group()):04X}")
    for found in _LINE.finditer(text):
        if found.end() - found.start() > MAX_LINE:
            size = found.end() - found.start()
            problems.add("line-too-long", lines.spot(found.start()), size=size, limit=MAX_LINE)
            break
    for found in islice(_TABS.finditer(text), MAX_TABS):
        problems.add("tab", lines.spot(found.start()))
    return None if problems.failed else text


def _validate(root: Node, problems: Problems) -> PersonaFile | None:
    try:
        return PersonaFile.model_validate(root.plain())
    except ValidationError as error:
        tell(error, root, problems)
        return None

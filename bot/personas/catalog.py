"""The personas that answer, read from folders and kept up to date while people chat."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bot.errors import UnknownPersona
from bot.personas.folders import persona_files
from bot.personas.messages import Language
from bot.personas.problems import TOP, Problem, Problems
from bot.personas.reading import Reading, read_persona
from bot.personas.watching import changes_in
from bot.types import Persona

BUILTIN: Final = Path(__file__).parent / "builtin"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file as it was last read, and the persona that answers for it: the last good one."""

    reading: Reading
    good: Persona | None


@dataclass(frozen=True, slots=True)
class _State:
    """Everything read at one moment; swapped whole."""

    entries: Mapping[Path, _Entry] = field(default_factory=dict)
    personas: Mapping[str, Persona] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class Catalog:
    """The `Personas` port over files. A persona of the folders stands before a built-in one of the same name.

    A file with faults is reported and leaves the last good version of its persona in place; the others go on.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        language: Language = "en",
        on_problem: Callable[[Problem], None],
        builtin: Path | None = BUILTIN,
    ) -> None:
        """`on_problem` hears each fault once, errors and notes; `builtin` None leaves the built-in personas out."""
        self._folders = tuple(folders)
        self._builtin = builtin
        self._language: Language = language
        self._on_problem = on_problem
        self._state = _State()

    def get(self, name: str) -> Persona:
        personas = self._state.personas
        if name in personas:
            return personas[name]
        near = get_close_matches(name[:64], personas, n=1)
        raise UnknownPersona(
            name, hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(personas) or 'none'}"
        )

    def all(self) -> tuple[Persona, ...]:
        return tuple(self._state.personas.values())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The faults of the files as they are now."""
        return self._state.problems

    def load(self) -> bool:
        """Read what is new or changed, and swap it in at once. Whether any persona changed, came or went."""
        return self._swap(self._read())

    @asynccontextmanager
    async def watching(self, on_change: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Follow the files: each change is read and swapped in, then `on_change` is awaited.

        It is called for changed personas and for changed files of their knowledge. An error it raises ends the
        watching and cancels the body.
        """
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._follow(on_change), name="persona files")
            try:
                yield
            finally:
                task.cancel()

    async def _follow(self, on_change: Callable[[], Awaitable[None]]) -> None:
        folders = (*self._folders, self._builtin) if self._builtin is not None else self._folders
        async with aclosing(changes_in(folders)) as changes:
            async for has_deeper in changes:
                changed = self._swap(await asyncio.to_thread(self._read))
                if changed or has_deeper:
                    await on_change()

    def _read(self) -> _State:
        """Every file as it is now. Touches nothing of the catalog, so it may run beside readers."""
        entries: dict[Path, _Entry] = {}
        problems: list[Problem] = []
        users: dict[str, tuple[Persona, Path]] = {}
        builtins: dict[str, tuple[Persona, Path]] = {}
        for folder in self._folders:
            self._read_folder(folder, entries, users, problems)
        if self._builtin is not None:
            self._read_folder(self._builtin, entries, builtins, problems)
        own = {name: users[name][0] for name in sorted(users)}
        rest = {name: builtins[name][0] for name in sorted(builtins) if name not in own}
        return _State(entries, MappingProxyType({**own, **rest}), tuple(problems))

    def _read_folder(
        self,
        folder: Path,
        entries: dict[Path, _Entry],
        personas: dict[str, tuple[Persona, Path]],
        problems: list[Problem],
    ) -> None:
        before = self._state.entries
        files: Sequence[Path]
        try:
            files = persona_files(folder)
        except OSError as error:
            faults = Problems(str(folder), self._language)
            faults.add("unreadable", TOP, reason=error.strerror or error)
            problems += faults.all()
            files = [path for path in before if path.parent == folder]
        for path in files:
            last = before.get(path)
            reading = read_persona(path, language=self._language, known=last.reading if last else None)
            entry = _Entry(reading, reading.persona or (last.good if last else None))
            entries[path] = entry
            problems += reading.problems
            if entry.good is None:
                continue
            if entry.good.name in personas:
                faults = Problems(str(path), self._language)
                faults.add("same-name", TOP, name=entry.good.name, other=personas[entry.good.name][1])
                problems += faults.all()
            else:
                personas[entry.good.name] = (entry.good, path)

    def _swap(self, state: _State) -> bool:
        before, self._state = self._state, state
        for problem in state.problems:
            if problem not in before.problems:
                self._on_problem(problem)
        return list(state.personas.values()) != list(before.personas.values())

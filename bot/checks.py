"""Puts a persona's `checks` to the model, the way a message is answered, and looks at what comes."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import ConfigError, ParleyError
from bot.language import is_han
from bot.ports import Engine, Knowledge
from bot.rehearsal import rehearse
from bot.turns import Draft
from bot.types import Check, Persona

AT_ONCE = 8
_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was answered to one check. `cited` are the paths of its sources, `wrong` what was expected otherwise."""

    persona: str
    question: str
    answer: str
    cited: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.wrong


def with_checks(personas: Sequence[Persona]) -> tuple[Persona, ...]:
    """Those that have checks. Raises ConfigError where none has."""
    found = tuple(persona for persona in personas if persona.checks)
    if not found:
        names = ", ".join(persona.name for persona in personas)
        raise ConfigError(f"there is nothing to ask: no `checks` in {names}; write some into a persona's file")
    return found


async def run_checks(
    personas: Iterable[Persona], *, engine: Engine, knowledge: Knowledge, now: Callable[[], datetime]
) -> tuple[Checked, ...]:
    """Every check of every persona, in order, each in a conversation of its own. An answer that fails is a check that
    does. A persona without a seed gets one, so that the same model gives the same answers."""
    room = asyncio.Semaphore(AT_ONCE)

    async def run(persona: Persona, check: Check) -> Checked:
        async with room:
            draft = Draft()
            error: ParleyError | None = None
            try:
                await rehearse(check.user, _steady(persona), knowledge=knowledge, engine=engine, now=now, draft=draft)
            except ParleyError as fault:
                error = fault
        cited = tuple(source.path for source in draft.sources)
        wrong = (f"there is no answer: {error}",) if error else tuple(_wrong(check, draft.text, cited))
        return Checked(persona=persona.name, question=check.user, answer=draft.text, cited=cited, wrong=wrong)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(persona, check)) for persona in personas for check in persona.checks]
    return tuple(task.result() for task in tasks)


def _wrong(check: Check, answer: str, cited: tuple[str, ...]) -> Iterator[str]:
    plain = _plain(answer)
    yield from (f"it lacks {text!r}" for text in check.contains if _plain(text) not in plain)
    if check.cites is not None and check.cites not in cited:
        yield f"it cites {', '.join(cited) or 'nothing'}, not {check.cites}"
    if check.max_words is not None and (words := _words(answer)) > check.max_words:
        yield f"it has {words} words, more than {check.max_words}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _words(text: str) -> int:
    """Words between spaces; each Han character counts as one."""
    spaced = "".join(f" {character} " if is_han(character) else character for character in text)
    return sum(any(character.isalnum() for character in word) for word in spaced.split())


def _steady(persona: Persona) -> Persona:
    sampling = persona.sampling
    return persona if sampling.seed is not None else replace(persona, sampling=replace(sampling, seed=_SEED))

"""Held-back questions: how many the built-in personas answer rightly, with the guard, without, and by quoting alone."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.engine import plugin as engine_plugin
from bot.knowledge import Library
from bot.models import until_ready
from bot.personas import Catalog
from bot.ports import Engine, Guard, Knowledge
from bot.rehearsal import rehearse
from bot.types import (
    Answer,
    Passage,
    Persona,
    Source,
)
from tests.benchmarks.report import Row

FOLDER = Path(__file__).parent / "held_back"


@dataclass(frozen=True, slots=True)
class Question:
    persona: str
    language: str
    text: str
    expect: dict[str, Any]

    def is_right(self, answer: str, persona: Persona) -> bool:
        """By string checks; `unsure` wants the persona's own words for it."""
        if self.expect.get("unsure"):
            unsure = persona.when_unsure
            return unsure is not None and unsure.pick(self.language) in answer
        text = answer.casefold()
        some = self.expect.get("any")
        return (
            all(part.casefold() in text for part in self.expect.get("all", ()))
            and (not some or any(part.casefold() in text for part in some))
            and not any(part.casefold() in text for part in self.expect.get("none", ()))
        )


def questions() -> Iterator[Question]:
    yaml = YAML(typ="safe", pure=True)
    for file in sorted(FOLDER.glob("*.yaml")):
        for entry in yaml.load(file.read_text(encoding="utf-8")):
            yield Question(file.stem, entry["language"], entry["question"], entry["expect"])


class NoGuard:
    """Lets everything through."""

    def __init__(self) -> None:
        self._sources: tuple[Source, ...] = ()

    def write(self, text: str) -> str:
        return text

    def finish(self) -> str:
        return ""

    def sources(self) -> tuple[Source, ...]:
        return self._sources


class Unguarded:
    """The same knowledge without its guard."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    async def search(self, persona: Persona, question: str) -> tuple[Passage, ...]:
        return await self._knowledge.search(persona, question)

    def guard(self, persona: Persona, question: str, passages: Sequence[Passage]) -> Guard:
        return NoGuard()

    def quote(self, persona: Persona, question: str, passages: Sequence[Passage], *, locale: str | None) -> Answer:
        return self._knowledge.quote(persona, question, passages, locale=locale)


async def ask(question: Question, persona: Persona, knowledge: Knowledge, engine: Engine) -> str:
    draft = await rehearse(question.text, persona, knowledge=knowledge, engine=engine, now=lambda: datetime.now(UTC))
    return draft.text


@asynccontextmanager
async def starter() -> AsyncGenerator[Engine, None]:
    async with engine_plugin.open(engine_plugin.settings(grounded_answers="model")) as engine:
        await until_ready(engine)
        yield engine


async def rows(*, verbose: bool = False) -> list[Row]:
    catalog = Catalog([], language="en", on_problem=print)
    catalog.load()
    library = Library()
    await library.refresh(catalog.all())
    right: dict[tuple[str, str], int] = defaultdict(int)
    asked: dict[str, int] = defaultdict(int)
    async with starter() as engine:
        for question in questions():
            persona = catalog.get(question.persona)
            passages = await library.search(persona, question.text)
            answers = {
                "with guard": await ask(question, persona, library, engine),
                "without guard": await ask(question, persona, Unguarded(library), engine),
                "quotation alone": library.quote(persona, question.text, passages, locale=question.language).text,
            }
            asked[question.persona] += 1
            for way, answer in answers.items():
                is_right = question.is_right(answer, persona)
                right[question.persona, way] += is_right
                if verbose:
                    print(f"{'+' if is_right else '-'} {question.persona} [{way}] {question.text}\n    {answer}")
    ways = ("with guard", "without guard", "quotation alone")
    found = [
        Row(f"right answers, {name}", ", ".join(f"{way} {right[name, way]}/{count}" for way in ways))
        for name, count in asked.items()
    ]
    total = sum(asked.values())
    summed = ", ".join(f"{way} {sum(right[name, way] for name in asked)}/{total}" for way in ways)
    return [*found, Row("right answers, all", summed)]

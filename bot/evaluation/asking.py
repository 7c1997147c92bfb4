"""Probes put to the built-in personas: through the prompt builder, and as a reader of Parley would see the answer."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.evaluation.measures import Tell
from bot.evaluation.subject import Said, Subject
from bot.knowledge.library import Library
from bot.language import language_of
from bot.personas import Catalog
from bot.ports import Guard
from bot.prompt import build
from bot.rehearsal import rehearse
from bot.types import (
    Answer,
    Finished,
    Generated,
    Memory,
    Message,
    Passage,
    Persona,
    Prompt,
    TextDelta,
)

LANGUAGES = ("en", "zh")
NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A question to a persona. `planted` stands among the passages; `expect` is what its judge needs to know."""

    persona: str
    language: str
    question: str
    planted: str | None = None
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`said` is the model's own answer; `shown` what Parley makes of it: guard, quotations, greeting, disclaimer."""

    probe: Probe
    persona: Persona
    said: str
    shown: str


class Desk:
    """The built-in personas with their knowledge, and the subject that answers for them."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._library = Library(look_again=3600.0)
        self._catalog = Catalog((), on_problem=lambda _: None)
        self._catalog.load()

    async def ask(self, probes: Sequence[Probe], *, tell: Tell) -> list[Reply]:
        """Every probe once, to a persona without memory, greedily."""
        personas = [self._catalog.get(probe.persona) for probe in probes]
        found = [
            (*_planted(probe), *await self._library.search(persona, probe.question))
            for probe, persona in zip(probes, personas, strict=True)
        ]
        prompts = [_prompt(self._subject, *each) for each in zip(probes, personas, found, strict=True)]
        limit = max((prompt.sampling.max_tokens for prompt in prompts), default=1)
        said = self._subject.answers([prompt.messages for prompt in prompts], limit=limit, tell=tell)
        return [
            Reply(
                probe=probe,
                persona=persona,
                said=answer.text,
                shown=await self._shown(probe.question, persona, passages, answer),
            )
            for probe, persona, passages, answer in zip(probes, personas, found, said, strict=True)
        ]

    async def _shown(self, question: str, persona: Persona, passages: Sequence[Passage], said: Said) -> str:
        draft = await rehearse(
            question,
            persona,
            knowledge=_Found(self._library, tuple(passages)),
            engine=_Replay(self._subject, said),
            now=lambda: NOW,
        )
        return draft.text


def thinned(every: list[Any], share: float) -> list[Any]:
    """About `share` of a list, evenly spread; all of it at 1."""
    wanted = max(1, round(len(every) * min(1.0, share)))
    return [every[n * len(every) // wanted] for n in range(wanted)]


def _planted(probe: Probe) -> tuple[Passage, ...]:
    if probe.planted is None:
        return ()
    return (Passage(id="planted", path="kb/notes.md", heading=("Notes",), text=probe.planted, score=1.0),)


def _prompt(subject: Subject, probe: Probe, persona: Persona, passages: Sequence[Passage]) -> Prompt:
    return build(
        persona,
        question=probe.question,
        passages=passages,
        memory=Memory(),
        language=language_of(probe.question, persona.languages),
        user="",
        now=NOW,
        context=subject.context,
        count=lambda messages: len(subject.chat.encode(messages)),
    )


class _Found:
    """The library, with the search already done."""

    def __init__(self, library: Library, passages: tuple[Passage, ...]) -> None:
        self._library = library
        self._passages = passages

    async def search(self, persona: Persona, question: str) -> tuple[Passage, ...]:
        return self._passages

    def guard(self, persona: Persona, question: str, passages: Sequence[Passage]) -> Guard:
        return self._library.guard(persona, question, passages)

    def quote(self, persona: Persona, question: str, passages: Sequence[Passage], *, locale: str | None) -> Answer:
        return self._library.quote(persona, question, passages, locale=locale)


class _Replay:
    """The engine port over an answer that is already there."""

    caution: tuple[str, ...] = ()

    def __init__(self, subject: Subject, said: Said) -> None:
        self._subject = subject
        self._said = said
        self.model = subject.name
        self.grounded_only = subject.starter
        self.quotes = subject.quotes
        self.context = subject.context

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        yield TextDelta(self._said.text)
        yield Finished(reason="stop", prompt_tokens=prompt.budget.prompt, new_tokens=self._said.tokens)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._subject.chat.encode(messages))

    async def check(self) -> None:
        return None

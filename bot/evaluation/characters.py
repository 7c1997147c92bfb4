"""Group 4: does the model keep to its persona: its name, the language it is asked in, its disclaimer?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.evaluation.asking import LANGUAGES, Desk, Probe, Reply, thinned
from bot.evaluation.judging import says, table
from bot.evaluation.measures import Measure, Measured, Sample, Tell
from bot.evaluation.statistics import rate
from bot.language import language_of
from bot.types import Persona

_SHOWN = 4
Judge = Callable[[str, Reply], bool]


def probes() -> Mapping[str, list[Probe]]:
    """The probes of each check, fifty of them."""
    checks = table("probes/personas")
    return {
        "name": [
            Probe(persona=persona, language=language, question=question)
            for persona in checks["name"]["personas"]
            for language in LANGUAGES
            for question in checks["name"][language]
        ],
        "language": [
            Probe(persona=persona, language=language, question=question)
            for persona, asked in checks["language"].items()
            for language in LANGUAGES
            for question in asked[language]
        ],
        "disclaimer": [
            Probe(persona=checks["disclaimer"]["persona"], language=language, question=question)
            for language in LANGUAGES
            for question in checks["disclaimer"][language]
        ],
    }


def names_itself(text: str, reply: Reply) -> bool:
    return says(text, [*reply.persona.title.texts.values(), *_names(reply.persona)])


def speaks_the_language(text: str, reply: Reply) -> bool:
    """An answer of numbers alone is in neither language."""
    if not any(character.isalpha() for character in text):
        return False
    return language_of(text, ("en", "zh")) == reply.probe.language


def disclaims(text: str, reply: Reply) -> bool:
    own = reply.persona.disclaimer
    return says(
        text,
        [
            *(own.texts.values() if own else ()),
            *table("probes/personas")["disclaimer"]["phrases"][reply.probe.language],
        ],
    )


JUDGES: Mapping[str, Judge] = {"name": names_itself, "language": speaks_the_language, "disclaimer": disclaims}


async def characters(desk: Desk, *, share: float, tell: Tell) -> Measured:
    """`share` of the probes, evenly spread."""
    figures: dict[str, Any] = {}
    measures: list[Measure] = []
    samples: list[Sample] = []
    for check, every in probes().items():
        replies = await desk.ask(thinned(every, share), tell=tell)
        right = [JUDGES[check](reply.said, reply) for reply in replies]
        seen = [JUDGES[check](reply.shown, reply) for reply in replies]
        figures[check] = {
            "probes": len(replies),
            "model": rate(sum(right), len(replies)).plain(),
            "shown": rate(sum(seen), len(replies)).plain(),
        }
        measures.append(
            Measure(name=f"persona_{check}", title=f"persona check: {check}", rows=[[float(each)] for each in right])
        )
        samples += list(_wrong(check, replies, right))[:_SHOWN]
    return Measured(figures=figures, measures=measures, samples=samples)


def _wrong(check: str, replies: list[Reply], right: list[bool]) -> Iterator[Sample]:
    for reply, good in zip(replies, right, strict=True):
        if not good:
            yield Sample(f"{check}, {reply.persona.name}", reply.probe.question, reply.said, f"{check} missing")


def _names(persona: Persona) -> list[str]:
    names: list[str] = table("probes/personas")["name"]["names"].get(persona.name, [])
    return names

"""The topics of the tables: sentences that say something and questions that ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bot.training.dialogues.words import held_out, table

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """`facts` are groups of sentences and questions that belong together: each question asks for each sentence."""

    domain: str
    name: str
    headings: tuple[str, ...]
    facts: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@cache
def topics(language: str) -> tuple[Topic, ...]:
    found = []
    for domain, entries in table(f"topics_{language}").items():
        for name, entry in entries.items():
            say, ask = entry["say"], entry["ask"]
            facts = [((s,), (a,)) for s, a in zip(say, ask, strict=True)] if entry.get("paired") else [(say, ask)]
            pairs = tuple((tuple(s), tuple(a)) for s, a in facts)
            found.append(Topic(domain=domain, name=name, headings=tuple(entry["heading"]), facts=pairs))
    return tuple(found)


def has_held_out(templates: Sequence[str]) -> bool:
    """Whether the split really keeps one of these templates from training: a lone template is never kept."""
    return any(map(held_out, templates)) and not all(map(held_out, templates))


def allowed(templates: Sequence[str], *, held: bool) -> list[str]:
    """The templates of one side of the split; all of them where there is nothing to part (see `has_held_out`)."""
    if not has_held_out(templates):
        return list(templates)
    return [t for t in templates if held_out(t) == held]

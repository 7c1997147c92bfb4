"""A persona as a visitor sees it, in the visitor's language."""

import re
from collections.abc import Sequence

from adapters.web.wire import PersonaCard, StarterCard
from bot.types import Persona

_RANGE = re.compile(r"\s*([A-Za-z0-9-]+|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*")
MOST_RANGES = 20


def card(persona: Persona, locale: str | None) -> PersonaCard:
    return PersonaCard(
        name=persona.name,
        title=persona.title.pick(locale),
        greeting=persona.greeting.pick(locale) if persona.greeting else None,
        starters=[
            StarterCard(label=starter.label.pick(locale), prompt=starter.prompt.pick(locale))
            for starter in persona.starters
        ],
        disclaimer=persona.disclaimer.pick(locale) if persona.disclaimer else None,
        rating_notice=persona.rating_notice.pick(locale) if persona.rating_notice else None,
        description=persona.description,
        languages=list(persona.languages),
        accent=persona.accent,
    )


def preferred(accept_language: str | None, languages: Sequence[str]) -> str:
    """The first of the header's languages, by weight, that is among `languages`; else the first of these."""
    weighted: list[tuple[float, str]] = []
    for part in (accept_language or "").split(",")[:MOST_RANGES]:
        found = _RANGE.fullmatch(part)
        if found and found[1] != "*":
            weighted.append((float(found[2] or 1), found[1].lower()))
    for _, wanted in sorted(weighted, key=lambda pair: -pair[0]):
        for tag in languages:
            if wanted == tag.lower():
                return tag
        for tag in languages:
            if wanted.split("-")[0] == tag.lower().split("-")[0]:
                return tag
    return languages[0]

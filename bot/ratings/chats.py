"""A rated answer becomes a chat to learn from: what the model was told, what it was asked, what it said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from bot.language import language_of
from bot.prompt import render_question, render_system
from bot.ratings.masking import Kind, Mask
from bot.types import LocalText, Message, Passage, Persona, RatedTurn, Source


class LeftOut(StrEnum):
    """Why a rated answer is not learnt from."""

    RATED_BAD = "rated as bad"
    NO_PERSONA = "of a persona that is no more"
    NO_LEAVE = "of a persona that does not have train_on_rated"
    NOT_TOLD = "rated before people were told of training"
    NO_SOURCES = "without the sources it rests on (cite: false)"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """`masked` counts what was taken out, by its kind."""

    messages: tuple[Message, ...]
    masked: Mapping[Kind, int]


def chat_of(rated: RatedTurn, persona: Persona | None, *, zone: tzinfo) -> Chat | LeftOut:
    """The chat of an answer, or why there is none. The persona speaks as it is now, at the time of the answer."""
    if rated.rating.rating != "up":
        return LeftOut.RATED_BAD
    if persona is None:
        return LeftOut.NO_PERSONA
    if (reason := _forbidden(rated, persona)) is not None:
        return reason
    asked = "\n".join(message.text for message in rated.question)
    language = language_of(asked, persona.languages, locale=rated.locale)
    sources = rated.answer.sources
    mask = Mask(names=rated.names, public=_public(persona, sources))
    is_named = "{{user.name}}" in persona.instructions.pick(language)
    system = render_system(
        persona,
        language=language,
        user=mask.name(rated.question[0].author or "") if is_named else "",
        now=rated.answer.at.astimezone(zone),
    )
    question = render_question(mask(asked), [_passage(source) for source in sources], language=language)
    said = (
        Message(role="system", text=system),
        Message(role="user", text=question),
        Message(role="assistant", text=mask(_own(rated.answer.text, persona, language))),
    )
    return Chat(messages=said, masked=dict(mask.counts))


def _forbidden(rated: RatedTurn, persona: Persona) -> LeftOut | None:
    if persona.rating_notice is None:
        return LeftOut.NO_LEAVE
    if not rated.rating.may_train:
        return LeftOut.NOT_TOLD
    if persona.knowledge and persona.grounded != "off" and not persona.cite:
        return LeftOut.NO_SOURCES
    return None if rated.answer.text.strip() else LeftOut.EMPTY


def _own(text: str, persona: Persona, language: str) -> str:
    """The answer without the disclaimer that Parley puts below it."""
    if persona.policy != "health" or persona.disclaimer is None:
        return text
    return text.removesuffix("\n\n" + persona.disclaimer.pick(language))


def _passage(source: Source) -> Passage:
    return Passage(id=source.path, text=source.text, path=source.path, heading=(source.title,))


def _public(persona: Persona, sources: tuple[Source, ...]) -> str:
    """What the persona's authors wrote themselves."""
    local = (persona.title, persona.instructions, persona.greeting, persona.when_unsure, persona.disclaimer)
    texts = [text for one in local if isinstance(one, LocalText) for text in one.texts.values()]
    examples = [text for example in persona.examples for text in (example.user, example.assistant)]
    return "\n".join((*texts, *persona.style, *examples, *(f"{source.title}\n{source.text}" for source in sources)))

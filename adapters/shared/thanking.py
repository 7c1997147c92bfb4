"""What a person is told who has rated a reply."""

from bot.errors import UnknownPersona
from bot.ports import Personas
from bot.types import LocalText


def thanks(words: LocalText, persona: str, personas: Personas) -> LocalText:
    """`words`, and what the persona says of its ratings in each of their languages."""
    try:
        notice = personas.get(persona).rating_notice
    except UnknownPersona:
        return words
    if notice is None:
        return words
    return LocalText({tag: f"{text} {notice.pick(tag)}" for tag, text in words.texts.items()})

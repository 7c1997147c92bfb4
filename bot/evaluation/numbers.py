"""Numbers that an answer states without support, and what the grounding guard leaves of the answer."""

from collections.abc import Iterable, Sequence

from bot.errors import UnsupportedClaim
from bot.knowledge.claims import claims
from bot.knowledge.evidence import Evidence
from bot.knowledge.guard import SentenceGuard
from bot.knowledge.quoting import quotation
from bot.knowledge.sentences import sentences
from bot.types import LocalText, Passage, Persona


def unsupported(said: str, sources: Iterable[str]) -> list[str]:
    """The numbers of an answer that no source states in their unit, as written. List markers are no numbers."""
    known = [Evidence(text) for text in sources if text]
    return [
        number.written
        for sentence in sentences(said)
        for number in claims(sentence).numbers
        if not any(text.has_number(number) for text in known)
    ]


def sources_of(question: str, passages: Sequence[Passage], system: str) -> list[str]:
    """Where an answer's numbers may come from: passages with their headings, the question, the system message."""
    texts = ["\n".join((*p.heading, p.text, p.answer or "")) for p in passages]
    return [*texts, question, system]


def strict_persona(system: str, *, language: str, unsure: str) -> Persona:
    """A persona that answers from its passages alone; `unsure` is how it says that they do not tell."""
    return Persona(
        name="asked",
        version="",
        title=LocalText({language: ""}),
        description="",
        languages=(language,),
        instructions=LocalText({language: system}),
        grounded="require",
        when_unsure=LocalText({language: unsure}),
    )


def guarded(said: str, persona: Persona, question: str, passages: Sequence[Passage]) -> tuple[str, bool]:
    """What a reader sees where the model said this, and whether a quotation took its place."""
    guard = SentenceGuard(persona, question, passages)
    try:
        return guard.write(said) + guard.finish(), False
    except UnsupportedClaim:
        return quotation(persona, question, passages, locale=persona.languages[0]).text, True

"""Who answers, and from what."""

from collections.abc import Sequence
from typing import Protocol

from bot.types import Answer, Passage, Persona, Source


class Guard(Protocol):
    """Lets through only what the passages, the question or the persona support, a sentence at a time."""

    def write(self, text: str) -> str:
        """Take more of the model's answer; return what may be shown now, possibly nothing yet.

        Raises UnsupportedClaim at the first sentence that nothing supports.
        """
        ...

    def finish(self) -> str:
        """The rest that may be shown; may raise like `write`. What was returned in all joins to the answer."""
        ...

    def sources(self) -> tuple[Source, ...]:
        """The passages that the shown sentences rest on, best first; empty where the persona does not cite."""
        ...


class Knowledge(Protocol):
    async def search(self, persona: Persona, question: str) -> tuple[Passage, ...]:
        """The best passages from the persona's sources, best first; empty where nothing is relevant."""
        ...

    def guard(self, persona: Persona, question: str, passages: Sequence[Passage]) -> Guard: ...

    def quote(self, persona: Persona, question: str, passages: Sequence[Passage], *, locale: str | None) -> Answer:
        """The answer without a model: the best sentences of the best passage as a quotation with its source;
        without passages, the persona's `when_unsure`."""
        ...


class Personas(Protocol):
    def get(self, name: str) -> Persona:
        """The newest valid version. Raises UnknownPersona, with near matches."""
        ...

    def all(self) -> tuple[Persona, ...]:
        """Every persona that answers, built-in ones last, each group by name."""
        ...

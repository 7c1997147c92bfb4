"""The grounding guard: implements `bot.ports.Guard`."""

from collections.abc import Sequence

from bot.errors import DegenerateAnswer
from bot.knowledge.claims import claims
from bot.knowledge.degenerate import fault
from bot.knowledge.evidence import ground, mass
from bot.knowledge.judge import Judge
from bot.knowledge.quoting import source
from bot.knowledge.sentences import Splitter
from bot.knowledge.wanted import answered
from bot.types import Passage, Persona, Source

_LIGHT = 0.8  # a sentence that tells less than this is judged together with the next one


class SentenceGuard:
    """Shows a sentence once something supports it.

    Always: the answer is not empty, does not go round in circles and has no broken characters; where the best passage
    says the kind of thing that was asked for, a duration say, so does the answer.

    With passages and `grounded: prefer` or `require`: one passage, which answers the question about as well as the
    best one, holds all numbers (with their units), names and addresses of a sentence; numbers, names and addresses
    may also come from the question or the persona's own text, except that a name which other passages tell about
    must be in this one too. Rare words may come from any passage, the question or the persona. A sentence that goes
    on about "it" or "this" stays with the passage before.

    With `require`, that passage also holds 60 % of the sentence's telling words (those of the question which no
    passage has do not count) and does not say the opposite. Sentences the persona's author wrote pass, and questions
    back to the user need no overlap.
    """

    def __init__(self, persona: Persona, question: str, passages: Sequence[Passage]) -> None:
        self._cite = persona.cite
        self._passages = tuple(passages)
        checks = persona.grounded != "off" and bool(passages)
        strict = persona.grounded == "require"
        self._judge = Judge(ground(persona, question, passages), strict=strict) if checks else None
        self._owed = answered(question, passages[0].text) if checks else 0.0
        self._question = question
        self._splitter = Splitter()
        self._pending = ""
        self._shown = ""
        self._support: dict[int, float] = {}
        self._last: int | None = None

    def write(self, text: str) -> str:
        return "".join(self._take(sentence, last=False) for sentence in self._splitter.feed(text))

    def finish(self) -> str:
        rest = self._take(self._splitter.rest(), last=True)
        if not self._shown.strip():
            raise DegenerateAnswer("is empty")
        if self._support and answered(self._question, self._shown) < self._owed:
            raise DegenerateAnswer("leaves out what was asked for")
        return rest

    def sources(self) -> tuple[Source, ...]:
        if not self._cite:
            return ()
        return tuple(source(self._passages[number]) for number in sorted(self._support, key=self._rank))

    def _rank(self, number: int) -> float:
        return -self._support[number]

    def _take(self, sentence: str, *, last: bool) -> str:
        """Judge a sentence, with the light ones that wait before it; return what may be shown."""
        text = self._pending + sentence
        self._pending = ""
        if not text.strip():
            self._pending = "" if last else text
            self._shown += text if last else ""
            return text if last else ""
        broken = fault(self._shown, text)
        if broken:
            raise DegenerateAnswer(broken)
        if self._judge is not None:
            found = claims(text)
            if not last and not found.numbers and not found.addresses and mass(found.content) < _LIGHT:
                self._pending = text
                return ""
            support = self._judge.support(found, self._last)
            self._last = support.passage
            if support.passage is not None and support.shared > 0:
                self._support[support.passage] = self._support.get(support.passage, 0.0) + support.shared
        self._shown += text
        return text

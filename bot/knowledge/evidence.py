"""What a passage, a question or a persona's text says, ready to be compared with an answer."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.knowledge import chinese, english
from bot.knowledge.numerals import Number, numbers, states
from bot.knowledge.sentences import sentences
from bot.knowledge.stopwords import NEGATIONS_EN
from bot.knowledge.words import Word, normal, words
from bot.types import Passage, Persona

ADDRESS = re.compile(
    r"https?://[^\s<>)\]）】，。；]+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\bwww\.[^\s<>)\]）】，。；]+"
)
_NEGATIONS_ZH = re.compile(
    "不(?!仅|但|管|论|妨|断|好意思|客气|便|同|过)|没有|没(?!事|问题)|无法|无需|无(?=理|须)|未(?!来)|别(?=[^的人墅处称])|勿|禁止|严禁"
)
_INTERJECTION = re.compile(r"no\b(?=\s?[,.!:])|不(?=[,，。！])", re.IGNORECASE)
_PARTS = re.compile(r"[;；，]|,(?!\d)")
_CLAUSE = re.compile("[,.;:!?，。；：！？、\n]")


class Evidence:
    """A text's numbers, words and addresses. Not changed once made; parts are worked out when first needed."""

    def __init__(self, text: str) -> None:
        self.text = normal(text)
        self.lower = self.text.lower()

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        return tuple(numbers(self.text))

    @cached_property
    def words(self) -> tuple[Word, ...]:
        return tuple(words(self.text))

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(word.key for word in self.words)

    @cached_property
    def sentences(self) -> tuple["Evidence", ...]:
        return tuple(Evidence(piece) for piece in sentences(self.text) if piece.strip())

    @cached_property
    def polarity(self) -> dict[str, frozenset[bool]]:
        """For each telling word, whether the text affirms it (True), denies it (False), or both.

        A negation denies the next telling word of its clause. A "No," at the beginning answers, and denies nothing.
        """
        found: dict[str, set[bool]] = {}
        affirmed, end = True, 0
        for word in self.words:
            between, end = self.text[end : word.start], word.start + len(word.written)
            if _CLAUSE.search(between) or word.key in ("and", "but"):
                affirmed = True
            if _denies(word):
                affirmed = bool(_INTERJECTION.match(self.text, word.start)) and not self.text[: word.start].strip()
            elif word.weight > 0:
                found.setdefault(word.key, set()).add(affirmed)
                affirmed = True
        return {key: frozenset(values) for key, values in found.items()}

    def has_number(self, number: Number) -> bool:
        return states(self.numbers, number)

    def has_word(self, word: Word) -> bool:
        """Whether the word stands here: in any form of it, for Chinese also inside another word or in its parts."""
        if word.key in self.keys:
            return True
        if not word.han:
            return any(english.near(word.key, key) for key in self.keys if key[:2] == word.key[:2])
        if word.key in self.text:
            return True
        if not chinese.occurrences(word.key):
            return all(character in self.text for character in word.key)
        parts = [part for part in chinese.search_words(word.key) if part != word.key]
        if len(word.key) >= 4 and not parts:
            parts = [word.key[:2], word.key[2:]]
        return bool(parts) and all(part in self.text for part in parts)

    def has_address(self, address: str) -> bool:
        return address.lower() in self.lower


def _denies(word: Word) -> bool:
    if word.han:
        return _NEGATIONS_ZH.match(word.written) is not None
    return word.written.lower().replace("’", "'") in NEGATIONS_EN


class PassageEvidence(Evidence):
    """A passage with its headings; `statements` are the sentences of its text that are no questions."""

    def __init__(self, passage: Passage) -> None:
        body = passage.text if passage.answer is None else passage.answer
        super().__init__("\n".join((*passage.heading, passage.text, body)))
        self.body = Evidence(body)
        self._headings = Evidence("\n".join(passage.heading))

    def headed(self, word: Word) -> bool:
        """Whether the word stands in the headings, and so belongs to every sentence below."""
        return self._headings.has_word(word)

    @cached_property
    def _joined(self) -> str:
        return "".join(self.body.lower.split())

    def quotes(self, sentence: str) -> bool:
        """Whether the sentence stands in the passage word for word; white space does not count."""
        return "".join(sentence.lower().split()) in self._joined

    @cached_property
    def statements(self) -> tuple[Evidence, ...]:
        return tuple(each for each in self.body.sentences if not each.text.rstrip().endswith("?"))

    @cached_property
    def clauses(self) -> tuple[Evidence, ...]:
        """The statements' parts between commas and semicolons."""
        pieces = (piece for each in self.statements for piece in _PARTS.split(each.text))
        return tuple(Evidence(piece) for piece in pieces if piece.strip())

    @cached_property
    def stated(self) -> dict[str, frozenset[bool]]:
        """The polarity of each word over all statements; what only the headings say counts as affirmed."""
        found: dict[str, frozenset[bool]] = {}
        for statement in self.statements:
            for key, values in statement.polarity.items():
                found[key] = found.get(key, frozenset()) | values
        return dict.fromkeys(self._headings.keys, frozenset((True,))) | found


def of_persona(persona: Persona) -> Evidence:
    """What the persona's author wrote, but for the examples: those show a manner, not facts."""
    spoken = (persona.greeting, persona.when_unsure, persona.disclaimer)
    texts: Iterable[str] = (
        *persona.title.texts.values(),
        persona.description,
        *persona.instructions.texts.values(),
        *persona.style,
        *(text for local in spoken if local is not None for text in local.texts.values()),
    )
    return Evidence("\n".join(texts))


def mass(found: Iterable[Word]) -> float:
    """How much these words tell together; a word said twice counts once."""
    return sum({word.key: word.weight for word in found}.values())


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything an answer may rest on. `topical` are the passages that answer the question about as well as the
    best of them does: an answer may only take its facts from these."""

    passages: tuple[PassageEvidence, ...]
    question: Evidence
    persona: Evidence
    topical: tuple[bool, ...]


def ground(persona: Persona, question: str, passages: Sequence[Passage]) -> Ground:
    prepared = tuple(PassageEvidence(passage) for passage in passages)
    asked = Evidence(question)
    told = [mass(word for word in asked.words if each.has_word(word)) for each in prepared]
    scores = [passage.score for passage in passages]
    best, top = max(told, default=0.0), max(scores, default=0.0)
    topical = tuple(one >= 0.6 * best or score >= 0.9 * top > 0 for one, score in zip(told, scores, strict=True))
    return Ground(prepared, asked, of_persona(persona), topical)

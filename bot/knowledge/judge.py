"""Decides whether something supports a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import UnsupportedClaim
from bot.knowledge.claims import Claims, is_rare
from bot.knowledge.evidence import Evidence, Ground, PassageEvidence, mass
from bot.knowledge.numerals import Number, states
from bot.knowledge.stopwords import word_set
from bot.knowledge.words import Word, han_share

OVERLAP = 0.6  # the share of a sentence's telling words that its passage must hold
_TELLING = 0.5  # words that tell less are not what a question is about
_PRONOUNS = word_set("it they this that these those its their he her she both")
_PRONOUNS_ZH = ("它", "他", "她", "这", "那", "该", "其")


@dataclass(frozen=True, slots=True)
class Support:
    """The passage, by number, that supports a sentence, and how much they share. No passage: the persona does."""

    passage: int | None
    shared: float = 0.0


class Judge:
    """One answer's judge. `strict` asks for overlap with the passage as well as for support of each claim."""

    def __init__(self, ground: Ground, *, strict: bool) -> None:
        self._ground = ground
        self._strict = strict
        self._foreign = all(han_share(passage.text) < 0.1 for passage in ground.passages)

    def support(self, found: Claims, last: int | None) -> Support:
        """What supports the sentence; `last` is the passage before, which a sentence about "it" must stay with.

        Raises UnsupportedClaim.
        """
        if self._is_persona_speech(found):
            return Support(None)
        foreign = self._foreign and han_share(found.evidence.text) > 0.5
        if not foreign:
            self._check_rare(found)
        stays = last is not None and _starts_with_pronoun(found.evidence)
        missing: list[str] = []
        fitting: list[Support] = []
        for number, passage in enumerate(self._ground.passages):
            if not self._ground.topical[number] or (stays and number != last):
                continue
            word = self._missing(found, passage)
            if word is None and self._strict and not foreign and not found.is_question:
                word = self._apart(found, passage)
            if word is None:
                fitting.append(Support(number, mass(each for each in found.content if passage.has_word(each))))
            else:
                missing.append(word)
        if not fitting:
            raise UnsupportedClaim(missing[0] if missing else found.evidence.text.strip()[:40])
        return max(fitting, key=lambda support: support.shared)

    def _is_persona_speech(self, found: Claims) -> bool:
        """Whether the sentence is one that the persona's author wrote, word for word or nearly."""
        persona = self._ground.persona
        if not all(map(persona.has_number, found.numbers)) or not all(map(persona.has_address, found.addresses)):
            return False
        written = found.evidence.text.strip()
        if written in persona.text:
            return True
        total = mass(found.content)
        return total > 0 and any(_share(found, each) > 0.9 for each in persona.sentences)

    def _check_rare(self, found: Claims) -> None:
        texts: tuple[Evidence, ...] = (*self._ground.passages, self._ground.question, self._ground.persona)
        for word in found.content:
            if is_rare(word, strict=self._strict) and not any(text.has_word(word) for text in texts):
                raise UnsupportedClaim(word.written)

    def _missing(self, found: Claims, passage: PassageEvidence) -> str | None:
        """The first number, address or name that keeps this passage from supporting the sentence."""
        ground = self._ground
        for number in found.numbers:
            if not any(text.has_number(number) for text in (passage, ground.question, ground.persona)):
                return number.written
        for address in found.addresses:
            if not any(text.has_address(address) for text in (passage, ground.question, ground.persona)):
                return address
        for name in found.names:
            if passage.has_word(name):
                continue
            elsewhere = any(other.has_word(name) for other in ground.passages)
            if elsewhere or not (ground.question.has_word(name) or ground.persona.has_word(name)):
                return name.written
        return None if passage.quotes(found.evidence.text) else self._mixed_up(found, passage)

    def _mixed_up(self, found: Claims, passage: PassageEvidence) -> str | None:
        """A word of the question that the sentence ties to a number, though the sources don't tie them together:
        other passages know the word and this one does not, or this one tells of it elsewhere only."""
        if not found.numbers:
            return None
        asked = [word for word in found.content if word.weight >= _TELLING and self._ground.question.has_word(word)]
        tied = [each for each in passage.statements if any(map(each.has_number, found.numbers))]
        for word in asked:
            if not passage.has_word(word):
                if any(other.has_word(word) for other in self._ground.passages):
                    return word.written
            elif tied and not passage.headed(word) and not any(each.has_word(word) for each in tied):
                return word.written
        return next((each.written for each in found.numbers if _is_rivals(each, found, asked, passage)), None)

    def _apart(self, found: Claims, passage: PassageEvidence) -> str | None:
        """A word that shows that the sentence is not from this passage, or says its opposite."""
        if passage.quotes(found.evidence.text):
            return None
        held = [word for word in found.content if passage.has_word(word)]
        others = [word for word in found.content if not passage.has_word(word) and not self._is_neutral(word)]
        whole = found.evidence.text.strip()[:40]
        if not held and not (found.numbers and passage.numbers):
            return others[0].written if others else whole
        if mass(held) < OVERLAP * (mass(held) + mass(others)):
            return others[0].written
        for key, values in found.evidence.polarity.items():
            if not values & passage.stated.get(key, values):
                return next((word.written for word in held if word.key == key), whole)
        return None

    def _is_neutral(self, word: Word) -> bool:
        """Whether the word only repeats the question, and no passage knows it."""
        return self._ground.question.has_word(word) and not any(each.has_word(word) for each in self._ground.passages)


def _is_rivals(number: Number, found: Claims, asked: Sequence[Word], passage: PassageEvidence) -> bool:
    """Whether another number of the same unit, which the sentence does not give, stands nearer to what was asked:
    60 where a lamp was asked for, and the passage says "24 months on lamps, 60 months on umbrellas"."""
    own, rival = 0.0, 0.0
    for clause in passage.clauses:
        told = mass(word for word in asked if clause.has_word(word))
        if clause.has_number(number):
            own = max(own, told)
        elif any(each.unit == number.unit and not states(found.numbers, each) for each in clause.numbers if each.unit):
            rival = max(rival, told)
    return rival > own


def _starts_with_pronoun(sentence: Evidence) -> bool:
    first = next(iter(sentence.words), None)
    if first is None:
        return False
    return first.written.lower() in _PRONOUNS or sentence.text.lstrip().startswith(_PRONOUNS_ZH)


def _share(found: Claims, sentence: Evidence) -> float:
    """The share of the sentence's telling words that another sentence has too."""
    total = mass(found.content)
    return mass(word for word in found.content if sentence.has_word(word)) / total if total else 0.0

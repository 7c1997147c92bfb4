"""A set of invented leaflets: what they state, about whom, and the passages that a search would find of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from bot.training.dialogues.grammar import expand
from bot.training.dialogues.topics import Attribute, Topic
from bot.training.dialogues.words import Split, Words
from bot.types import Passage

OWNED = ("shop", "place")  # domains whose leaflets always name an owner
_MOST_FACTS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fact:
    """A sentence that states an attribute; `words` fill the questions about it."""

    attribute: Attribute
    owner: str
    words: Words
    text: str

    @property
    def short(self) -> str | None:
        return self.words.fill(self.attribute.short) if self.attribute.short else None


@dataclass(slots=True, kw_only=True)
class Leaflets:
    random: Random
    language: str
    domain: str
    split: Split
    laid: list[tuple[str, Topic, list[Fact]]] = field(default_factory=list)

    def invent_owner(self) -> str:
        return Words(self.random, language=self.language, split=self.split).value("place")

    def fact(self, about: Attribute, *, owner: str, split: Split = "train") -> Fact:
        """A new fact with fresh words; `split` chooses among the attribute's sentences."""
        words = Words(self.random, language=self.language, split=self.split)
        words.set("place", owner)
        said = words.fill(expand(self.random, self.random.choice(about.sayings(split))))
        return Fact(attribute=about, owner=owner, words=words, text=said[:1].upper() + said[1:])

    def facts(self) -> list[Fact]:
        return [fact for _, _, facts in self.laid for fact in facts]

    def lay(self, owner: str, topic: Topic, facts: Sequence[Fact]) -> None:
        if facts:
            self.laid.append((owner, topic, list(facts)))

    def lay_some(self, owner: str, topic: Topic, *, most: int) -> None:
        """Up to `most` facts of a topic, while the set is not too long for a prompt."""
        size = max(0, min(most, _MOST_FACTS - len(self.facts()), len(topic.attributes)))
        self.lay(owner, topic, [self.fact(a, owner=owner) for a in self.random.sample(topic.attributes, k=size)])

    def passages(self) -> tuple[Passage, ...]:
        """In random order, each with its sentences in random order."""
        gap = " " if self.language == "en" else ""
        found = []
        for owner, topic, facts in self.random.sample(self.laid, k=len(self.laid)):
            heading: tuple[str, ...] = (self.random.choice(topic.headings),)
            if self.domain in OWNED or self.random.random() < 0.5:
                heading = (owner, *heading)
            lines = [fact.text for fact in self.random.sample(facts, k=len(facts))]
            found.append(Passage(id=heading[-1], path="kb", heading=heading, text=gap.join(lines)))
        return tuple(found)

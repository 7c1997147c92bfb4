"""The topics of the tables: attributes, the sentences that state them and the questions that ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bot.training.dialogues.grammar import slots
from bot.training.dialogues.words import Split, holds_templates, table

LANGUAGES = ("en", "zh")
DOMAINS = ("shop", "lesson", "health", "place")
# Slots whose words are parted between training and evaluation, the thing that a sentence is about first.
NAMES = ("item", "subject", "event", "room", "country", "place", "person", "city", "team", "language", "street")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One thing that can be asked: every `ask` asks for what every `say` states. The last of each is held out.

    `short` is the bare value, None for a fact without slots. `key` is the same in both languages.
    """

    key: str
    domain: str
    say: tuple[str, ...]
    ask: tuple[str, ...]
    short: str | None

    @property
    def slots(self) -> frozenset[str]:
        return slots(self.say[0])

    @property
    def about(self) -> str | None:
        """The slot that tells one such fact from another of the same attribute, where questions name it."""
        return next((name for name in NAMES if name in self.slots and any(name in slots(a) for a in self.ask)), None)

    def sayings(self, split: Split) -> Sequence[str]:
        return self.say[-1:] if holds_templates(split) else self.say[:-1]

    def askings(self, split: Split) -> Sequence[str]:
        return self.ask[-1:] if holds_templates(split) else self.ask[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    domain: str
    name: str
    headings: tuple[str, ...]
    attributes: tuple[Attribute, ...]


@cache
def topics(language: str, domain: str) -> tuple[Topic, ...]:
    return tuple(_topic(domain, name, entry) for name, entry in table(f"{language}/{domain}").items())


@cache
def attribute(language: str, key: str) -> Attribute:
    """By its key, `domain.topic.name`."""
    domain, name, _ = key.split(".")
    topic = next(t for t in topics(language, domain) if t.name == name)
    return next(a for a in topic.attributes if a.key == key)


def _topic(domain: str, name: str, entry: Mapping[str, Any]) -> Topic:
    return Topic(
        domain=domain,
        name=name,
        headings=tuple(entry["heading"]),
        attributes=tuple(
            Attribute(
                key=f"{domain}.{name}.{key}",
                domain=domain,
                say=tuple(about["say"]),
                ask=tuple(about["ask"]),
                short=about.get("short"),
            )
            for key, about in entry.items()
            if key != "heading"
        ),
    )

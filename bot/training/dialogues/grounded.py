"""Questions with passages: the answer is one sentence of the right passage, or that the material does not say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bot.training.dialogues.topics import LANGUAGES, Topic, allowed, has_held_out, topics
from bot.training.dialogues.words import Split, Words, table
from bot.types import Passage

TYPO_RATE = 0.1
CROSS_LINGUAL_RATE = 0.1
_OWNED = ("shop", "place")  # domains whose passages always name an invented owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question, what was found for it, and the right answer. `kind` says which lesson it teaches."""

    kind: str
    domain: str
    language: str
    question: str
    passages: tuple[Passage, ...]
    answer: str


def ask_topic(random: Random, *, language: str, split: Split, answerable: bool = True) -> Exchange:
    """A question about one fact among passages of related facts of the same and of other entities."""
    words = Words(random, language=language, split=split)
    held = split == "templates"
    every = topics(language)
    topic, choice = random.choice(_facts(every, split))
    domain = [t for t in every if t.domain == topic.domain]
    says, asks = topic.facts[choice]
    answer = words.fill(random.choice(allowed(says, held=held)))
    question = frame(random, words, words.fill(random.choice(allowed(asks, held=held))), language=language)
    owner = words.value("place")
    mates = [words.fill(text) for text in _others(random, topic, choice, count=random.choice((0, 0, 1, 1, 2, 3)))]
    near = random.sample([t for t in domain if t is not topic], k=random.choice((0, 1, 1, 2)))
    passages = [_passage(random, topic, owner, [answer, *mates] if answerable else mates, language=language)]
    for other in near:
        if random.random() < 0.4:
            words.fresh()
            owner = words.value("place")
        lines = [
            words.fill(random.choice(allowed(s, held=False)))
            for s, _ in random.sample(other.facts, k=min(len(other.facts), 2))
        ]
        passages.append(_passage(random, other, owner, lines, language=language))
    if len(topic.facts) == 1 and topic.domain == "place" and random.random() < 0.3:
        words.fresh()
        passages.append(
            _passage(random, topic, words.value("place"), [words.fill(allowed(says, held=False)[0])], language=language)
        )
    passages = [p for p in passages if p.text]
    if not passages:
        passages = [
            _passage(
                random, domain[0], owner, [words.fill(allowed(domain[0].facts[0][0], held=False)[0])], language=language
            )
        ]
        if domain[0] is topic:
            return ask_topic(random, language=language, split=split, answerable=answerable)
    random.shuffle(passages)
    reply = answer if answerable else unsure(language)
    asked = question
    if answerable and random.random() < CROSS_LINGUAL_RATE:
        asked = _abroad(random, topic, choice, question, language=language)
    kind = "answer" if answerable else "unanswerable"
    return Exchange(
        kind=kind, domain=topic.domain, language=language, question=asked, passages=tuple(passages), answer=reply
    )


def frame(random: Random, words: Words, question: str, *, language: str) -> str:
    """The question as a person types it: greeting, politeness, lower case, a slip."""
    asked = random.choice(table("talk")[language]["frames"]).replace("{q}", question)
    if random.random() < 0.2:
        asked = asked.lower()
    if random.random() < 0.1:
        asked = asked.rstrip("?？.。!")
    return words.typos(asked) if random.random() < TYPO_RATE else asked


def unsure(language: str) -> str:
    return str(table("voices")[language]["unsure"])


def disclaimer(language: str) -> str:
    return str(table("voices")[language]["disclaimer"])


def _facts(every: Sequence[Topic], split: Split) -> list[tuple[Topic, int]]:
    """What may be asked for: on a held-out split only what holds something that training never saw."""
    return [
        (topic, number)
        for topic in every
        for number, fact in enumerate(topic.facts)
        if split == "train"
        or (split == "templates" and any(map(has_held_out, fact)))
        or (split == "entities" and topic.domain in _OWNED)
    ]


def _others(random: Random, topic: Topic, choice: int, *, count: int) -> list[str]:
    """Sentences of the same topic that do not answer the question."""
    rest = [allowed(says, held=False)[0] for number, (says, _) in enumerate(topic.facts) if number != choice]
    return random.sample(rest, k=min(count, len(rest)))


def _passage(random: Random, topic: Topic, owner: str, lines: list[str], *, language: str) -> Passage:
    random.shuffle(lines)
    heading: tuple[str, ...] = (random.choice(topic.headings),)
    if topic.domain in _OWNED or random.random() < 0.5:
        heading = (owner, *heading)
    gap = " " if language == "en" else ""
    return Passage(id=heading[-1], path="kb", heading=heading, text=gap.join(lines))


def _abroad(random: Random, topic: Topic, choice: int, question: str, *, language: str) -> str:
    """The question in the other language, where its words carry no slot of this one."""
    other = next(tag for tag in LANGUAGES if tag != language)
    twin = next((t for t in topics(other) if (t.domain, t.name) == (topic.domain, topic.name)), None)
    if twin is None or len(twin.facts) != len(topic.facts):
        return question
    plain = [ask for ask in allowed(twin.facts[choice][1], held=False) if "{" not in ask]
    return random.choice(plain) if plain else question

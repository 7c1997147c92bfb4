"""Questions about leaflets: the answer is one sentence of the right passage, or that the material does not say it.

Beside the right sentence stand those that a hasty reader would take: other attributes of the same thing, the same
attribute of other things, and the leaflet of another owner that says the same of itself.
"""

from collections.abc import Iterator, Sequence
from random import Random

from bot.training.dialogues.exchange import Exchange, Form, answered, frame, unanswered
from bot.training.dialogues.grammar import expand, slots
from bot.training.dialogues.leaflets import OWNED, Fact, Leaflets
from bot.training.dialogues.topics import DOMAINS, LANGUAGES, NAMES, Attribute, Topic, attribute, topics
from bot.training.dialogues.words import Split, Words, holds_entities

CROSS_LINGUAL_RATE = 0.1


def ask_leaflets(
    random: Random, *, language: str, split: Split, form: Form, answerable: Sequence[bool] = (True,)
) -> list[Exchange]:
    """Questions about one set of leaflets, one for each entry of `answerable`, fewer where it has fewer facts.

    The first question is what `split` is about; more of them are for training.
    """
    every, target = _target(random, language=language, split=split)
    laid = Leaflets(random=random, language=language, domain=target.domain, split=split)
    wanted = _lay(laid, every, target, answerable=answerable[0])
    passages = laid.passages()
    stated = laid.facts()
    keys = {fact.attribute.key for fact in stated}
    absent = [a for t in every for a in t.attributes if a.key not in keys]
    others = [fact for fact in stated if fact is not wanted]
    facts = iter([*([wanted] if wanted else []), *random.sample(others, k=len(others))])
    asked: list[Exchange] = []
    for number, yes in enumerate(answerable):
        of = split if number == 0 else "train"
        if not yes:
            about = laid.fact(target if number == 0 else random.choice(absent), owner=laid.laid[0][0])
            question = _word(random, about, random.choice(about.attribute.askings(of)), language=language)
            asked.append(
                unanswered(domain=laid.domain, language=language, question=question, passages=passages, form=form)
            )
        elif (found := _next(laid, facts, split=of)) is not None:
            fact, question = found
            asked.append(
                answered(
                    domain=laid.domain,
                    language=language,
                    question=question,
                    passages=passages,
                    sentence=fact.text,
                    short=fact.short,
                    form=form,
                )
            )
    return asked


def _next(laid: Leaflets, facts: Iterator[Fact], *, split: Split) -> tuple[Fact, str] | None:
    """The next fact that a question tells from the others. Where something is held out only the first will do."""
    for fact in facts:
        question = _question(laid, fact, split=split)
        if question is not None:
            return fact, question
        if split != "train":
            return None
    return None


def ask_without_passages(random: Random, *, language: str, split: Split) -> Exchange:
    """A question of a topic, but nothing was found for it."""
    _, target = _target(random, language=language, split=split)
    laid = Leaflets(random=random, language=language, domain=target.domain, split=split)
    about = laid.fact(target, owner=laid.invent_owner())
    question = _word(random, about, random.choice(target.askings(split)), language=language)
    return unanswered(domain=target.domain, language=language, question=question, passages=())


def _target(random: Random, *, language: str, split: Split) -> tuple[Sequence[Topic], Attribute]:
    """A domain's topics and what is asked of them; where names are held out, something that names one."""
    while True:
        every = topics(language, random.choice(DOMAINS))
        target = random.choice([a for t in every for a in t.attributes])
        if not holds_entities(split) or target.domain in OWNED or target.slots & set(NAMES):
            return every, target


def _lay(laid: Leaflets, every: Sequence[Topic], target: Attribute, *, answerable: bool) -> Fact | None:
    """Lay out the leaflets. The fact that is asked for, None where it is left out."""
    random = laid.random
    owner = laid.invent_owner()
    topic = next(t for t in every if target in t.attributes)
    mates = [a for a in topic.attributes if a is not target]
    beside = [
        laid.fact(a, owner=owner) for a in random.sample(mates, k=min(len(mates), random.choice((0, 1, 1, 2, 3))))
    ]
    wanted = None
    if answerable:
        wanted = laid.fact(target, owner=owner, split=laid.split)
        beside.append(wanted)
        if target.about not in (None, "place") and random.random() < 0.6:
            beside += [laid.fact(target, owner=owner) for _ in range(random.choice((1, 1, 2)))]
    laid.lay(owner, topic, beside)
    if answerable and target.domain in OWNED and random.random() < 0.25:
        other = laid.invent_owner()
        laid.lay(other, topic, [laid.fact(target, owner=other)])
    near = random.sample([t for t in every if t is not topic], k=random.choice((0, 1, 1, 2, 3)) if beside else 2)
    for neighbour in near:
        laid.lay_some(
            owner if random.random() < 0.7 else laid.invent_owner(), neighbour, most=random.choice((1, 2, 2, 3))
        )
    return wanted


def _question(laid: Leaflets, fact: Fact, *, split: Split) -> str | None:
    """A question that this fact alone answers; None where no wording tells it from its likes."""
    random, about = laid.random, fact.attribute.about
    likes = [f for f in laid.facts() if f.attribute is fact.attribute and f is not fact]
    asks = list(fact.attribute.askings(split))
    if any(f.owner == fact.owner for f in likes):
        if about is None or any(f.words.value(about) == fact.words.value(about) for f in likes):
            return None
        asks = [ask for ask in asks if about in slots(ask)]
    if not asks:
        return None
    ask = random.choice(asks)
    if any(f.owner != fact.owner for f in likes) and "place" not in slots(ask):
        return _word(random, fact, ask, language=laid.language, owner=fact.owner)
    if not likes and random.random() < CROSS_LINGUAL_RATE:
        return _abroad(random, fact, language=laid.language, split=split) or _word(
            random, fact, ask, language=laid.language
        )
    return _word(random, fact, ask, language=laid.language)


def _word(random: Random, fact: Fact, ask: str, *, language: str, owner: str | None = None) -> str:
    asked = fact.words.fill(expand(random, ask))
    return frame(random, fact.words, asked[:1].upper() + asked[1:], language=language, owner=owner)


def _abroad(random: Random, fact: Fact, *, language: str, split: Split) -> str | None:
    """The question in the other language, where it can be asked without a word of this one."""
    other = next(tag for tag in LANGUAGES if tag != language)
    plain = [ask for ask in attribute(other, fact.attribute.key).askings(split) if not slots(ask)]
    if not plain:
        return None
    asked = expand(random, random.choice(plain))
    return frame(random, Words(random, language=other, split=split), asked, language=other)

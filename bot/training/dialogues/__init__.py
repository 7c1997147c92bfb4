"""Grounded dialogues made from seed tables, reproducible from a seed, with whole templates and entities held out.

An exchange is rendered by `bot.prompt`, so that the model trains on exactly the text it will meet at run time.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random

from bot.prompt import render_question, render_system
from bot.training.dialogues.exchange import Exchange, choose_form, disclaimer
from bot.training.dialogues.grounded import ask_leaflets, ask_without_passages
from bot.training.dialogues.quoting import Sentences, ask_text
from bot.training.dialogues.records import ask_records
from bot.training.dialogues.talking import TITLE, draft, small_talk, story
from bot.training.dialogues.topics import LANGUAGES
from bot.training.dialogues.words import Split, Words, table
from bot.types import LocalText, Message, Persona

_DRILL_TURNS = 6


def exchange(random: Random, *, split: Split = "train", natural: Sentences | None = None) -> Exchange:
    """One exchange. Shares: 55 % answerable, 20 % not in the passages, 5 % no passage, 10 % talk, 10 % drafts, stories.

    `natural` are documents as lists of sentences by language; without them questions come from the tables alone.
    """
    language = random.choice(LANGUAGES)
    share = random.random()
    if share < 0.75:
        return _questions(random, language=language, split=split, natural=natural, answerable=(share < 0.55,))[0]
    if share < 0.8:
        return ask_without_passages(random, language=language, split=split)
    if share < 0.9:
        return small_talk(random, language=language, split=split)
    return (draft if random.random() < 0.5 else story)(random, language=language, split=split)


def drill(random: Random, *, natural: Sentences | None = None) -> list[Exchange]:
    """Several questions about the same passages: more to learn from each token read than one question gives."""
    language = random.choice(LANGUAGES)
    answerable = [random.random() < 0.75 for _ in range(random.randint(3, _DRILL_TURNS))]
    return _questions(random, language=language, split="train", natural=natural, answerable=answerable)


def render(random: Random, made: Exchange, *more: Exchange) -> tuple[Message, ...]:
    """The messages of an exchange under a persona invented for it; `more` ask on without passages of their own."""
    language = made.language
    voices = table("voices")[language]
    voice = voices[made.domain]
    words = Words(random, language=language, split="train")
    title = random.choice(voice["titles"]).replace("{name}", words.value("name"))
    rules = (*random.sample(voices["rules"], k=random.choice((0, 1, 2, 3))), *random.sample(voices[made.form], k=1))
    day = datetime(2026, 1, 1 + random.randrange(28), 9, tzinfo=UTC)
    lines = "\n".join(filter(None, (random.choice(voice["lines"]), *rules)))
    persona = Persona(
        name="invented",
        version="",
        title=LocalText({language: title}),
        description="",
        languages=(language,),
        instructions=LocalText({language: lines.replace("{{date}}", day.strftime("%Y-%m-%d"))}),
        style=("No emoji.",) if random.random() < 0.3 else (),
    )
    user = words.value("person") if random.random() < 0.5 else ("you" if language == "en" else "用户")
    said = [Message(role="system", text=render_system(persona, language=language, user=user, now=day))]
    for number, one in enumerate((made, *more)):
        passages = one.passages if number == 0 else ()
        answer = one.answer.replace(TITLE, title)
        if one.domain == "health" and one.kind == "answer":
            answer = f"{answer}\n{disclaimer(language)}"
        said.append(Message(role="user", text=render_question(one.question, passages, language=language)))
        said.append(Message(role="assistant", text=answer))
    return tuple(said)


def dialogues(
    seed: int, *, split: Split = "train", natural: Sentences | None = None, drills: float = 0.0
) -> Iterator[tuple[Message, ...]]:
    """An endless stream of dialogues, a share of them drills; the same seed gives the same stream."""
    random = Random(f"{seed}/{split}")  # noqa: S311 - no secret hangs on it
    while True:
        several = random.random() < drills
        yield render(
            random, *(drill(random, natural=natural) if several else [exchange(random, split=split, natural=natural)])
        )


def _questions(
    random: Random, *, language: str, split: Split, natural: Sentences | None, answerable: Sequence[bool]
) -> list[Exchange]:
    """Questions about the same passages, at least one: of leaflets, records, or natural text where there is any."""
    form = choose_form(random)
    while True:
        source = random.random()
        documents = (natural or {}).get(language, ())
        made: list[Exchange] = []
        if split == "train" and len(documents) > 3 and source < 0.3:
            made = ask_text(random, documents, language=language, form=form, answerable=answerable)
        elif source < 0.45 and split in ("train", "entities"):
            made = ask_records(random, language=language, split=split, form=form, answerable=answerable)
        else:
            made = ask_leaflets(random, language=language, split=split, form=form, answerable=answerable)
        if made:
            return made

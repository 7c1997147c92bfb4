"""Grounded dialogues made from seed tables, reproducible from a seed, with whole templates and entities held out.

An exchange is rendered by `bot.prompt`, so that the model trains on exactly the text it will meet at run time.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random

from bot.prompt import render_question, render_system
from bot.training.dialogues.grounded import Exchange, ask_topic, disclaimer
from bot.training.dialogues.quoting import ask_record, ask_text
from bot.training.dialogues.talking import TITLE, draft, nothing_found, small_talk, story
from bot.training.dialogues.topics import LANGUAGES
from bot.training.dialogues.words import Split, Words, table
from bot.types import LocalText, Message, Persona

Sentences = Mapping[str, Sequence[list[str]]]


def exchange(random: Random, *, split: Split = "train", natural: Sentences | None = None) -> Exchange:
    """One exchange. Shares: 55 % answerable, 20 % not in the passages, 5 % no passage, 10 % talk, 10 % drafts, stories.

    `natural` are documents as lists of sentences by language; without them questions come from the tables alone.
    """
    language = random.choice(LANGUAGES)
    share = random.random()
    if share < 0.75:
        answerable = share < 0.55
        source = random.random()
        documents = (natural or {}).get(language, ())
        if source < 0.35 and len(documents) > 3 and split == "train":
            return ask_text(random, documents, language=language, answerable=answerable)
        if source < 0.5 and split != "templates":
            return ask_record(random, language=language, split=split, answerable=answerable)
        return ask_topic(random, language=language, split=split, answerable=answerable)
    if share < 0.8:
        return nothing_found(random, language=language, split=split)
    if share < 0.9:
        return small_talk(random, language=language, split=split)
    return (draft if random.random() < 0.5 else story)(random, language=language, split=split)


def render(random: Random, made: Exchange) -> tuple[Message, ...]:
    """System, user and assistant message of an exchange, under a persona invented for it."""
    language = made.language
    voices = table("voices")[language]
    voice = voices[made.domain]
    words = Words(random, language=language, split="train")
    title = random.choice(voice["titles"]).replace("{name}", words.value("name"))
    rules = tuple(random.sample(voices["rules"], k=random.choice((0, 1, 2, 3))))
    day = datetime(2026, 1, 1 + random.randrange(28), 9, tzinfo=UTC)
    lines = "\n".join((random.choice(voice["lines"]), *rules)).replace("{{date}}", day.strftime("%Y-%m-%d"))
    persona = Persona(
        name="invented",
        version="",
        title=LocalText({language: title}),
        description="",
        languages=(language,),
        instructions=LocalText({language: lines}),
        style=("No emoji.",) if random.random() < 0.3 else (),
    )
    user = words.value("person") if random.random() < 0.5 else ("you" if language == "en" else "用户")
    answer = made.answer.replace(TITLE, title)
    if made.domain == "health" and made.kind == "answer":
        answer = f"{answer}\n{disclaimer(language)}"
    return (
        Message(role="system", text=render_system(persona, language=language, user=user, now=day)),
        Message(role="user", text=render_question(made.question, made.passages, language=language)),
        Message(role="assistant", text=answer),
    )


def dialogues(seed: int, *, split: Split = "train", natural: Sentences | None = None) -> Iterator[tuple[Message, ...]]:
    """An endless stream of dialogues; the same seed gives the same stream."""
    random = Random(f"{seed}/{split}")  # noqa: S311 - no secret hangs on it
    while True:
        yield render(random, exchange(random, split=split, natural=natural))

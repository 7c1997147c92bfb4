"""Talk without material: greetings, identity, drafts from points, short stories."""

from random import Random

from bot.training.dialogues.exchange import Exchange
from bot.training.dialogues.words import Split, Words, allowed, holds_entities, holds_templates, table

TITLE = "{title}"


def small_talk(random: Random, *, language: str, split: Split) -> Exchange:
    """A greeting or a question who the bot is; the answer holds TITLE where the persona's title belongs."""
    talk = table("talk")[language]
    asks, replies = talk[random.choice(("greet", "greet", "thanks", "bye", "who", "who", "can"))]
    question = random.choice(allowed(asks, held=holds_templates(split)))
    domain = random.choice(tuple(table("voices")[language]))
    domain = domain if isinstance(table("voices")[language][domain], dict) else "place"
    return Exchange(
        kind="talk", domain=domain, language=language, question=question, passages=(), answer=random.choice(replies)
    )


def draft(random: Random, *, language: str, split: Split) -> Exchange:
    """A report from three points."""
    words = Words(random, language=language, split=split)
    talk = table("talk")[language]
    held = holds_templates(split)
    topic = random.choice(talk["report_topic"])
    points = [words.fill(p) for p in random.sample(allowed(talk["report_point"], held=False), k=3)]
    ask = random.choice(allowed(talk["report_ask"], held=held)).replace("{topic}", topic)
    form = random.choice(talk["report_form"])
    first = [p[0].upper() + p[1:] for p in points]
    answer = form.replace("{topic}", topic[0].upper() + topic[1:])
    for slot, text in zip("abc", first, strict=True):
        answer = answer.replace("{" + slot + "}", text)
    question = "\n".join((ask, *(f"- {p}" for p in points)))
    return Exchange(kind="draft", domain="writer", language=language, question=question, passages=(), answer=answer)


def story(random: Random, *, language: str, split: Split) -> Exchange:
    """A four-sentence story about the hero and the thing that were asked for."""
    talk = table("talk")[language]
    kept = {kind: random.choice(allowed(talk[kind], held=holds_entities(split))) for kind in ("hero", "place", "thing")}
    ask = random.choice(allowed(talk["story_ask"], held=holds_templates(split)))
    parts = (random.choice(talk[f"story_{part}"]) for part in ("begin", "mid", "turn", "end"))
    text = (" " if language == "en" else "").join(parts)
    for kind, value in kept.items():
        ask = ask.replace("{" + kind + "}", value)
        text = text.replace("{" + kind + "}", value)
    sentences = text[0].upper() + text[1:]
    return Exchange(kind="story", domain="story", language=language, question=ask, passages=(), answer=sentences)

"""Questions about invented records: one field of one thing, among its other fields and the same field of others."""

from collections.abc import Sequence
from random import Random

from bot.training.dialogues.exchange import Exchange, Form, answered, unanswered
from bot.training.dialogues.words import Split, Words, table
from bot.types import Passage


def ask_records(
    random: Random, *, language: str, split: Split, form: Form, answerable: Sequence[bool] = (True,)
) -> list[Exchange]:
    """Questions about one set of records, one for each entry of `answerable`, fewer where it has fewer fields."""
    forms = table("quoting")[language]
    words = Words(random, language=language, split=split)
    fields = random.sample(list(forms["fields"]), k=random.randint(2, 4))
    things = _things(random, words)
    form_of_all = random.choice(forms["say"])
    said: dict[tuple[str, str], tuple[str, str]] = {}
    for thing in things:
        for name in fields:
            words.fresh()
            value = words.value(forms["fields"][name])
            say = form_of_all if random.random() < 0.8 else random.choice(forms["say"])
            said[thing, name] = (say.replace("{x}", thing).replace("{f}", name).replace("{v}", value), value)
    asked_for = random.sample(list(said), k=min(len(answerable), len(said) - 1))
    pairs = list(zip(asked_for, answerable, strict=False))
    missing = {key for key, yes in pairs if not yes}
    passages = _passages(random, {key: text for key, (text, _) in said.items() if key not in missing}, language)
    found = []
    for (thing, name), yes in pairs:
        question = random.choice(forms["want"]).replace("{x}", thing).replace("{f}", name)
        text, value = said[thing, name]
        if yes:
            found.append(
                answered(
                    domain="place",
                    language=language,
                    question=question,
                    passages=passages,
                    sentence=text,
                    short=value,
                    form=form,
                )
            )
        else:
            found.append(unanswered(domain="place", language=language, question=question, passages=passages, form=form))
    return found


def _things(random: Random, words: Words) -> list[str]:
    found: list[str] = []
    for _ in range(random.choice((1, 2, 2, 3))):
        words.fresh()
        found.append(words.value("place" if random.random() < 0.5 else "name"))
    return list(dict.fromkeys(found))


def _passages(random: Random, lines: dict[tuple[str, str], str], language: str) -> tuple[Passage, ...]:
    """One passage for each thing, in random order, its lines in random order."""
    gap = " " if language == "en" else ""
    by_thing: dict[str, list[str]] = {}
    for thing, name in random.sample(list(lines), k=len(lines)):
        by_thing.setdefault(thing, []).append(lines[thing, name])
    return tuple(Passage(id=x, path="kb", heading=(x,), text=gap.join(of)) for x, of in by_thing.items())

"""Questions over natural text and invented records: whatever the words are, quote the sentence that matches."""

import re
from collections.abc import Sequence
from random import Random

from bot.training.dialogues.grounded import Exchange, unsure
from bot.training.dialogues.words import Split, Words, table
from bot.types import Passage

_END = {"en": re.compile(r"(?<=[.!?])\s+(?=[A-Z])"), "zh": re.compile(r"(?<=[。！？])")}
_WORD = {"en": re.compile(r"[A-Za-z][a-z]{3,}"), "zh": re.compile(r"[\u4e00-\u9fff]{2,}")}
_SLOTS = ("price", "n", "person", "color", "code", "year", "city", "phone", "time", "date", "pct", "item")


def ask_record(random: Random, *, language: str, split: Split, answerable: bool = True) -> Exchange:
    """One attribute of one invented thing, among its other attributes and the same attribute of other things."""
    forms = table("quoting")[language]
    words = Words(random, language=language, split=split)
    fields = random.sample(forms["fields"], k=random.randint(2, 4))
    things = []
    for _ in range(random.choice((1, 2, 2, 3))):
        words.fresh()
        things.append(words.value("place") if random.random() < 0.5 else words.value("name"))
    form = random.choice(forms["say"])
    said: dict[tuple[str, str], str] = {}
    for thing in things:
        for name in fields:
            words.fresh()
            value = words.value(random.choice(_SLOTS))
            said[thing, name] = form.replace("{x}", thing).replace("{f}", name).replace("{v}", value)
    thing, name = random.choice(things), random.choice(fields)
    answer = said[thing, name]
    if not answerable:
        del said[thing, name]
    gap = " " if language == "en" else ""
    passages = []
    for owner in things:
        lines = [text for (x, _), text in said.items() if x == owner]
        random.shuffle(lines)
        passages.append(Passage(id=owner, path="kb", heading=(owner,), text=gap.join(lines)))
    random.shuffle(passages)
    question = random.choice(forms["want"]).replace("{x}", thing).replace("{f}", name)
    return Exchange(
        kind="answer" if answerable else "unanswerable",
        domain="place",
        language=language,
        question=question,
        passages=tuple(passages),
        answer=answer if answerable else unsure(language),
    )


def split_sentences(text: str, *, language: str) -> list[str]:
    return [part.strip() for line in text.splitlines() for part in _END[language].split(line) if part.strip()]


def sentences(text: str, *, language: str) -> list[str]:
    """The sentences of one document that are fit to be quoted: 20 to 200 characters, Chinese 8 to 60."""
    low, high = (20, 200) if language == "en" else (8, 60)
    parts = split_sentences(text, language=language)
    return [s for s in parts if low <= len(s) <= high and s[-1] in ".!?。！？" and not set(s) & set("|`*[]{}<>#_:\\")]


def ask_text(random: Random, documents: Sequence[list[str]], *, language: str, answerable: bool = True) -> Exchange:
    """What natural text says about one of its words; `documents` are lists of sentences, each at least three long."""
    chosen = random.sample(documents, k=random.choice((1, 2, 2, 3)))
    windows = []
    for document in chosen:
        start = random.randrange(max(1, len(document) - 2))
        windows.append(document[start : start + random.randint(2, 3)])
    right = random.randrange(len(windows))
    answer = random.choice(windows[right])
    rest = " ".join(s for window in windows for s in window if s is not answer)
    found = [w for w in _keywords(answer, language=language) if w.lower() not in rest.lower()]
    if not found:
        return ask_record(random, language=language, split="train", answerable=answerable)
    word = random.choice(found)
    if language == "en" and random.random() < 0.5:
        word = word.lower()
    if not answerable:
        windows[right] = [s for s in windows[right] if s is not answer]
    gap = " " if language == "en" else ""
    passages = [
        Passage(id=str(n), path="kb", heading=(_title(random, w, language=language),), text=gap.join(w))
        for n, w in enumerate(windows)
        if w
    ]
    random.shuffle(passages)
    return Exchange(
        kind="answer" if answerable else "unanswerable",
        domain=random.choice(("place", "lesson")),
        language=language,
        question=random.choice(table("quoting")[language]["ask"]).replace("{x}", word),
        passages=tuple(passages),
        answer=answer if answerable else unsure(language),
    )


def _keywords(sentence: str, *, language: str) -> list[str]:
    runs = _WORD[language].findall(sentence)
    if language == "zh":
        return [run[i : i + 4] for run in runs for i in range(0, max(1, len(run) - 3), 2)]
    return [
        " ".join(runs[i : i + 2]) if f"{run} {''.join(runs[i + 1 : i + 2])}" in sentence else run
        for i, run in enumerate(runs)
    ]


def _title(random: Random, window: list[str], *, language: str) -> str:
    return random.choice(_keywords(window[0], language=language) or ["Notes" if language == "en" else "笔记"])

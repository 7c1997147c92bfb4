"""Questions over natural text: whatever the words are, quote the sentence that matches."""

import re
from collections.abc import Mapping, Sequence
from random import Random

from bot.training.dialogues.exchange import Exchange, Form, answered, unanswered
from bot.training.dialogues.words import table
from bot.types import Passage

Sentences = Mapping[str, Sequence[list[str]]]  # documents as lists of sentences, by language
_END = {"en": re.compile(r"(?<=[.!?])\s+(?=[A-Z])"), "zh": re.compile(r"(?<=[。！？])")}
_WORD = {"en": re.compile(r"[A-Za-z][a-z]{3,}"), "zh": re.compile(r"[\u4e00-\u9fff]{2,}")}


def split_sentences(text: str, *, language: str) -> list[str]:
    return [part.strip() for line in text.splitlines() for part in _END[language].split(line) if part.strip()]


def sentences(text: str, *, language: str) -> list[str]:
    """The sentences of one document that are fit to be quoted: 20 to 200 characters, Chinese 8 to 60."""
    low, high = (20, 200) if language == "en" else (8, 60)
    parts = split_sentences(text, language=language)
    return [s for s in parts if low <= len(s) <= high and s[-1] in ".!?。！？" and not set(s) & set("|`*[]{}<>#_:\\")]


def ask_text(
    random: Random,
    documents: Sequence[list[str]],
    *,
    language: str,
    form: Form,
    answerable: Sequence[bool] = (True,),
) -> list[Exchange]:
    """Questions what the text says about one of its words, at most one for each entry of `answerable`, maybe none.

    `documents` are lists of sentences, each at least three long. No word of a question stands in another sentence.
    """
    windows = []
    for document in random.sample(documents, k=random.choice((1, 2, 2, 3))):
        start = random.randrange(max(1, len(document) - 2))
        windows.append(document[start : start + random.randint(2, 3)])
    every = [sentence for window in windows for sentence in window]
    chosen = random.sample(every, k=min(len(answerable), len(every) - 1))
    pairs = [
        (sentence, word, yes)
        for sentence, yes in zip(chosen, answerable, strict=False)
        if (word := _own_word(random, sentence, every, language=language)) is not None
    ]
    missing = [sentence for sentence, _, yes in pairs if not yes]
    gap = " " if language == "en" else ""
    passages = [
        Passage(id=str(n), path="kb", heading=(_title(random, left, language=language),), text=gap.join(left))
        for n, window in enumerate(windows)
        if (left := [s for s in window if s not in missing])
    ]
    random.shuffle(passages)
    domain = random.choice(("place", "lesson"))
    found = []
    for sentence, word, yes in pairs:
        question = random.choice(table("quoting")[language]["ask"]).replace("{x}", word)
        about = {"domain": domain, "language": language, "question": question}
        found.append(
            answered(**about, passages=tuple(passages), sentence=sentence, form=form)
            if yes
            else unanswered(**about, passages=tuple(passages), form=form)
        )
    return found


def _own_word(random: Random, sentence: str, every: Sequence[str], *, language: str) -> str | None:
    """A word of this sentence that no other sentence holds."""
    rest = " ".join(s for s in every if s is not sentence).lower()
    own = [w for w in _keywords(sentence, language=language) if w.lower() not in rest]
    if not own:
        return None
    word = random.choice(own)
    return word.lower() if language == "en" and random.random() < 0.5 else word


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

"""One question, what was found for it, and the right answer; how a person types it and how the bot puts it."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from bot.training.dialogues.words import Words, table
from bot.types import Passage

Form = Literal["sentence", "quotation", "short"]
TYPO_RATE = 0.1
_FORMS: tuple[Form, ...] = ("sentence", "quotation", "short")
_SHARES = (0.76, 0.12, 0.12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """`kind` says which lesson it teaches; `form` how much of the sentence the persona's answers give."""

    kind: str
    domain: str
    language: str
    question: str
    passages: tuple[Passage, ...]
    answer: str
    form: Form = "sentence"


def choose_form(random: Random) -> Form:
    return random.choices(_FORMS, _SHARES)[0]


def answered(
    *,
    domain: str,
    language: str,
    question: str,
    passages: tuple[Passage, ...],
    sentence: str,
    form: Form,
    short: str | None = None,
) -> Exchange:
    """An exchange whose answer is the sentence, the sentence in quotation marks, or its value alone if it has one."""
    answer = {"sentence": sentence, "quotation": f"\u201c{sentence}\u201d", "short": short or sentence}[form]
    return Exchange(
        kind="answer",
        domain=domain,
        language=language,
        question=question,
        passages=passages,
        answer=answer,
        form=form,
    )


def unanswered(
    *, domain: str, language: str, question: str, passages: tuple[Passage, ...], form: Form = "sentence"
) -> Exchange:
    """An exchange whose passages do not tell; without any passage nothing was found."""
    return Exchange(
        kind="unanswerable" if passages else "nothing",
        domain=domain,
        language=language,
        question=question,
        passages=passages,
        answer=unsure(language),
        form=form,
    )


def frame(random: Random, words: Words, question: str, *, language: str, owner: str | None = None) -> str:
    """The question as a person types it: whom it is about, greeting, politeness, lower case, a slip."""
    talk = table("talk")[language]
    asked = question
    if owner is not None:
        asked = random.choice(talk["about"]).replace("{q}", asked).replace("{o}", owner)
    asked = random.choice(talk["frames"]).replace("{q}", asked)
    if random.random() < 0.2:
        asked = asked.lower()
    if random.random() < 0.1:
        asked = asked.rstrip("?？.。!")
    return words.typos(asked) if random.random() < TYPO_RATE else asked


def unsure(language: str) -> str:
    return str(table("voices")[language]["unsure"])


def disclaimer(language: str) -> str:
    return str(table("voices")[language]["disclaimer"])

"""Generated questions of a split, the same for every model, and the same without what answers them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, get_args

from bot.errors import ConfigError
from bot.training.dialogues import exchange, render
from bot.training.dialogues.exchange import Exchange
from bot.training.dialogues.words import Split
from bot.types import Message, Passage

Ablation = Literal["no passages", "shuffled passages", "other passages"]
ABLATIONS: tuple[Ablation, ...] = get_args(Ablation)
SPLITS: tuple[Split, ...] = get_args(Split)
_TRIES = 60
QUOTES = "“”"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its prompt: a system and a user message."""

    exchange: Exchange
    prompt: tuple[Message, ...]

    @property
    def answerable(self) -> bool:
        return self.exchange.kind == "answer"


def questions(split: Split, *, items: int, seed: int) -> list[Asked]:
    """`items` questions that their passages answer, and the unanswerable ones that come between them.

    They come from a stream that training does not draw from.
    """
    random = Random(f"evaluation/{seed}/{split}")  # noqa: S311 - no secret hangs on it
    found: list[Asked] = []
    answerable = 0
    for _ in range(_TRIES * items + _TRIES):
        made = exchange(random, split=split)
        if made.kind in ("answer", "unanswerable"):
            found.append(Asked(made, _prompt(made, seed=seed, number=len(found))))
            answerable += made.kind == "answer"
        if answerable == items:
            return found
    raise ConfigError(f"the generator made {answerable} of {items} questions for the split {split!r}")


def ablate(asked: Sequence[Asked], ablation: Ablation, *, seed: int) -> list[Asked]:
    """The same questions with passages that cannot answer them. A model that still answers has memorised."""
    random = Random(f"{ablation}/{seed}")  # noqa: S311 - no secret hangs on it
    if ablation == "no passages":
        kept: list[tuple[Passage, ...]] = [() for _ in asked]
    elif ablation == "shuffled passages":
        kept = [tuple(_shuffled(p, each.exchange.language, random) for p in each.exchange.passages) for each in asked]
    else:
        kept = [_others(asked, number) for number in range(len(asked))]
    made = [replace(each.exchange, passages=passages) for each, passages in zip(asked, kept, strict=True)]
    return [Asked(each, _prompt(each, seed=seed, number=number)) for number, each in enumerate(made)]


def _prompt(made: Exchange, *, seed: int, number: int) -> tuple[Message, ...]:
    return render(Random(f"{seed}/{number}"), made)[:-1]  # noqa: S311 - no secret hangs on it


def _shuffled(passage: Passage, language: str, random: Random) -> Passage:
    """The passage's words, Chinese its characters, in random order."""
    parts = list(passage.text) if language == "zh" else passage.text.split()
    random.shuffle(parts)
    return replace(passage, text=("" if language == "zh" else " ").join(parts))


def _others(asked: Sequence[Asked], number: int) -> tuple[Passage, ...]:
    """The passages of the next question of the same language in which the right answer does not stand."""
    mine = asked[number].exchange
    for step in range(1, len(asked)):
        other = asked[(number + step) % len(asked)].exchange
        if other.language == mine.language and not any(mine.answer.strip(QUOTES) in p.text for p in other.passages):
            return other.passages
    return ()

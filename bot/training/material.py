"""What a model is trained on: natural text, chats, and what of them is kept back for evaluation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from bot.training import corpus
from bot.training.corpus import Document, Files
from bot.training.dialogues import dialogues
from bot.training.dialogues.quoting import sentences
from bot.training.presets import Preset
from bot.types import Message

_KEPT_BACK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    files: Files
    natural: Sequence[Document]
    held: Sequence[Document]
    chats: Sequence[tuple[Message, ...]]


def kept_back(number: int) -> bool:
    """Whether the document of this number, counted over all files, is kept for evaluation: one in fifty is."""
    return number % _KEPT_BACK == 7


def read(data: Sequence[Path]) -> Material:
    """Raises TrainingError for what cannot be read, with file and line."""
    files = corpus.find(data)
    every = [d for path in files.texts for d in corpus.documents(path)]
    return Material(
        files=files,
        natural=[d for n, d in enumerate(every) if not kept_back(n)],
        held=[d for n, d in enumerate(every) if kept_back(n)],
        chats=[c for path in files.chats for c in corpus.chats(path)],
    )


def quotable(natural: Sequence[Document]) -> Mapping[str, list[list[str]]]:
    """Documents as sentences fit to be quoted, at most 1,500 of each source."""
    found: dict[str, list[list[str]]] = {"en": [], "zh": []}
    taken: dict[str, int] = {}
    for document in natural:
        if taken.get(document.source, 0) < 1500:
            lines = sentences(document.text[:6000], language=document.language)
            if len(lines) >= 3:
                found[document.language].append(lines)
                taken[document.source] = taken.get(document.source, 0) + 1
    return found


def sample(material: Material, shape: Preset, *, seed: int) -> Iterator[str]:
    """Text for the tokenizer: a third English, a third Chinese, a third dialogues."""
    random = Random(seed)  # noqa: S311 - no secret hangs on it
    third = shape.tokenizer_bytes // 3
    for language in ("en", "zh"):
        left = third
        mine = [d for d in material.natural if d.language == language]
        for document in random.sample(mine, k=len(mine)):
            if left <= 0:
                break
            yield document.text[:4000]
            left -= len(document.text[:4000].encode())
    for messages in [*material.chats, *islice(dialogues(seed), third // 400)]:
        yield "\n".join(m.text for m in messages)

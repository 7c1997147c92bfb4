"""Group 1: how well the model predicts text, and whether it can copy what it has just read."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from bot.errors import TrainingError
from bot.evaluation.measures import Measure, Measured, Tell
from bot.evaluation.statistics import bootstrap, mean, share_of_sums
from bot.evaluation.subject import Subject
from bot.training import corpus
from bot.training.corpus import Document
from bot.training.material import kept_back

_ROWS = 64
_COPIED = 40
_TEXT = 3000  # characters of a document that are read at most


def likelihood(subject: Subject, *, data: Sequence[Path], documents: int, tell: Tell) -> Measured:
    """Bits per byte on at most `documents` of each source of `data`, and random-copy accuracy. Raises TrainingError."""
    right = copied(subject, rows=_ROWS)
    figures: dict[str, Any] = {"copy_accuracy": mean(right).plain(), "sources": {}, "languages": {}}
    measures = [Measure(name="copy_accuracy", title="random tokens copied right", rows=[[each] for each in right])]
    costs: dict[str, list[list[float]]] = {}
    for source, (kept, held) in _read(data).items():
        taken = Random(source).sample(kept, k=min(documents, len(kept)))  # noqa: S311 - no secret hangs on it
        rows = [cost(subject, document.text) for document in taken]
        tell(len(taken))
        for document, row in zip(taken, rows, strict=True):
            costs.setdefault(document.language, []).append(row)
        figures["sources"][source] = {
            "documents": len(taken),
            "kept_from_training": held,
            "bits_per_byte": bootstrap(np.asarray(rows), share_of_sums).plain(),
        }
    for language, rows in sorted(costs.items()):
        figures["languages"][language] = {
            "documents": len(rows),
            "bits_per_byte": bootstrap(np.asarray(rows), share_of_sums).plain(),
        }
        measures.append(
            Measure(
                name=f"bits_per_byte.{language}",
                title=f"bits per byte, {language}",
                kind="share",
                higher_is_better=False,
                rows=rows,
            )
        )
    return Measured(figures=figures, measures=measures)


def copied(subject: Subject, *, rows: int) -> list[float]:
    """Per row of random tokens said twice, the share of right next tokens in the second half."""
    generator = torch.Generator().manual_seed(0)
    special = {id_ for id_, token in subject.tokenizer.get_added_tokens_decoder().items() if token.special}
    plain = torch.tensor([n for n in range(subject.tokenizer.get_vocab_size()) if n not in special])
    length = min(_COPIED, subject.context // 2)
    shares = []
    for _ in range(rows):
        once = plain[torch.randint(len(plain), (length,), generator=generator)]
        ids = torch.cat([once, once])
        guessed = subject.logits(ids.tolist())[length:-1].argmax(-1)
        shares.append(float((guessed == ids[length + 1 :]).float().mean()))
    return shares


def cost(subject: Subject, text: str) -> list[float]:
    """Bits and bytes of a text but for each window's first token, read in windows of the context."""
    ids = subject.tokenizer.encode(text[:_TEXT], add_special_tokens=False).ids
    bits = size = 0.0
    for start in range(0, len(ids), subject.context):
        window = ids[start : start + subject.context]
        if len(window) < 2:
            continue
        logits = subject.logits(window)[:-1]
        bits += float(torch.nn.functional.cross_entropy(logits, torch.tensor(window[1:]), reduction="sum"))
        size += len(subject.tokenizer.decode(window[1:]).encode())
    return [bits / math.log(2), size]


def _read(data: Sequence[Path]) -> Mapping[str, tuple[list[Document], bool]]:
    """The documents of each source that training keeps back; all of them where it keeps none back, and which it is."""
    every = [d for path in corpus.find(data).texts for d in corpus.documents(path)]
    if data and not every:
        raise TrainingError(
            f"{', '.join(map(str, data))}: no text to measure bits per byte on; give .txt, .md or .txt.xz"
        )
    sources: dict[str, list[Document]] = {}
    held: dict[str, list[Document]] = {}
    for number, document in enumerate(every):
        sources.setdefault(document.source, []).append(document)
        if kept_back(number):
            held.setdefault(document.source, []).append(document)
    return {source: (held.get(source, every_one), source in held) for source, every_one in sources.items()}

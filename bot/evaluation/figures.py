"""The figures of a model card, taken from a model that is still in memory at the end of its training."""

from collections.abc import Sequence
from typing import Any

from bot.evaluation.grounded import ask_all, quality
from bot.evaluation.honesty import honesty
from bot.evaluation.likelihood import copied, cost
from bot.evaluation.run import released
from bot.evaluation.subject import Subject, subject_of
from bot.training.corpus import Document
from bot.training.data import by_source

_DOCUMENTS = 20
_COPIES = 32


def figures(model: Any, tokenizer: Any, *, held: Sequence[Document], items: int, seed: int) -> dict[str, Any]:
    """What `bot.training.card` and the release rule need: `items` answerable questions a split, greedy decoding, and
    bits per byte on `held`, which are documents kept from training."""
    subject = subject_of(model, tokenizer)
    answers = ask_all(subject, items=items, seeds=(seed,), tell=_quiet)
    groups = {
        "grounded": quality(answers, subject, tell=_quiet).figures,
        "honesty": honesty(answers).figures,
    }
    found: dict[str, Any] = {
        "items": items,
        "copy_accuracy": _mean(copied(subject, rows=_COPIES)),
        "bits_per_byte": {name: _bits(subject, documents) for name, documents in by_source(held).items()},
    }
    for split, seen in released(groups)["splits"].items():
        refusals = groups["honesty"]["refusals"][split]
        ablations = groups["grounded"][split]["ablations"]
        found[split] = {
            **seen,
            "questions": groups["grounded"][split]["sentences"]["questions"],
            "refusal_precision": refusals["precision"]["value"] or 0.0,
            "refusal_recall": refusals["recall"]["value"] or 0.0,
            **{name: each["exact_match"]["value"] or 0.0 for name, each in ablations.items()},
        }
    return found


def _bits(subject: Subject, documents: Sequence[Document]) -> float:
    costs = [cost(subject, document.text) for document in documents[:_DOCUMENTS]]
    return round(sum(bits for bits, _ in costs) / max(1.0, sum(size for _, size in costs)), 3)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)


def _quiet(_: int) -> None:
    return None

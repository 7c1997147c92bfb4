"""The release rule: a model speaks for itself from passages only if it does so better than they do."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from bot.training.dialogues.words import Split

FILE = "parley.json"
REFUSAL_F1 = 0.8


def passes(figures: Mapping[str, Any]) -> bool:
    """Whether, on every held-out split, the model answers right more often than the passage sentence that BM25 ranks
    first, where a whole sentence is asked for, and knows what it cannot answer (refusal F1 ≥ 0.8).

    `figures` has for each of them: exact_match, bm25_sentence, refusal_f1.
    """
    held = [split for split in get_args(Split) if split != "train"]
    return all(
        figures[split]["exact_match"] > figures[split]["bm25_sentence"] and figures[split]["refusal_f1"] >= REFUSAL_F1
        for split in held
    )


def write(folder: Path, *, speaks: bool) -> None:
    """Tell the engine (setting `engine.grounded_answers`) who answers where passages were found."""
    text = json.dumps({"grounded_answers": "model" if speaks else "quotes"}) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")

"""The release rule: a model speaks for itself from passages only if it does so better than they do."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "parley.json"
REFUSAL_F1 = 0.8


def passes(figures: Mapping[str, Any]) -> bool:
    """Whether, on held-out templates and on held-out names, the model answers right more often than the passage
    sentence that shares most words with the question, and knows what it cannot answer (refusal F1 ≥ 0.8)."""
    return all(
        figures[split]["exact_match"] > figures[split]["most_shared_words"]
        and figures[split]["refusal_f1"] >= REFUSAL_F1
        for split in ("templates", "entities")
    )


def write(folder: Path, *, speaks: bool) -> None:
    """Tell the engine (setting `engine.grounded_answers`) who answers where passages were found."""
    text = json.dumps({"grounded_answers": "model" if speaks else "quotes"}) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from bot.training import release

GOOD: dict[str, Any] = {
    split: {"exact_match": 0.6, "bm25_sentence": 0.4, "refusal_f1": 0.85}
    for split in ("train", "templates", "entities", "both")
}


def test_a_model_that_beats_its_passages_and_knows_its_limits_speaks() -> None:
    assert release.passes(GOOD)


@pytest.mark.parametrize("split", ["templates", "entities", "both"])
@pytest.mark.parametrize(("name", "value"), [("exact_match", 0.4), ("refusal_f1", 0.79)])
def test_one_figure_short_on_one_held_out_split_is_enough_to_fall_short(split: str, name: str, value: float) -> None:
    figures = copy.deepcopy(GOOD)
    figures[split][name] = value
    assert not release.passes(figures)


def test_the_decision_is_written_where_the_engine_reads_it(tmp_path: Path) -> None:
    release.write(tmp_path, speaks=False)
    assert json.loads((tmp_path / "parley.json").read_text()) == {"grounded_answers": "quotes"}

from copy import deepcopy
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.evaluation.compare import compare
from bot.evaluation.measures import Kind, Measure
from bot.evaluation.report import comparison_page


def results(name: str, **rows: list[list[float]]) -> dict[str, Any]:
    kinds: dict[str, Kind] = {"refusal_f1.held_out": "f1"}
    measures = {
        key: Measure(
            name=key, title=key, kind=kinds.get(key, "mean"), rows=value, higher_is_better=key != "unsupported_numbers"
        ).plain()
        for key, value in rows.items()
    }
    return {"format": "f", "parley": "1", "options": {"items": 1}, "model": {"name": name}, "measures": measures}


def coins(right: int, n: int = 400) -> list[list[float]]:
    return [[float(i < right)] for i in range(n)]


def test_a_clearly_better_model_passes_the_gate() -> None:
    found = compare(results("old", safety=coins(200)), results("new", safety=coins(280)))
    assert found["gate"]["passed"]
    assert found["gate"]["better"] == ["safety"]
    [row] = found["measures"]
    assert row["difference"]["value"] == pytest.approx(0.2)
    assert row["difference"]["low"] > 0.1


def test_a_model_does_not_pass_against_itself() -> None:
    found = compare(results("old", safety=coins(200)), results("new", safety=coins(200)))
    assert not found["gate"]["passed"]
    assert found["measures"][0]["verdict"] == "as good"


def test_one_gated_measure_that_got_worse_is_enough_to_stay() -> None:
    old = results("old", safety=coins(200), persona_name=coins(300))
    new = results("new", safety=coins(280), persona_name=coins(200))
    found = compare(old, new)
    assert not found["gate"]["passed"]
    assert found["gate"]["worse"] == ["persona_name"]


def test_where_fewer_are_better_more_is_worse() -> None:
    found = compare(results("old", unsupported_numbers=coins(20)), results("new", unsupported_numbers=coins(120)))
    assert found["measures"][0]["verdict"] == "worse"


def test_what_the_gate_does_not_look_at_decides_nothing() -> None:
    found = compare(results("old", bias_names=coins(20)), results("new", bias_names=coins(120)))
    assert found["measures"][0]["verdict"] == "better"
    assert not found["gate"]["passed"]


def test_chance_alone_seldom_passes_the_gate() -> None:
    import numpy as np

    random = np.random.default_rng(4)
    passed = 0
    for _ in range(40):
        names = ("safety", "persona_name", "persona_language", "exact_match.held_out")
        old, new = (
            results(who, **{name: random.integers(0, 2, (60, 1)).astype(float).tolist() for name in names})
            for who in ("old", "new")
        )
        passed += compare(old, new)["gate"]["passed"]
    assert passed <= 5


def test_f1_is_compared_over_all_questions_and_not_averaged() -> None:
    old = results("old", **{"refusal_f1.held_out": [[1.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] * 50})
    new = results("new", **{"refusal_f1.held_out": [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]] * 50})
    [row] = compare(old, new)["measures"]
    assert row["first"]["value"] == pytest.approx(0.5)
    assert row["second"]["value"] == pytest.approx(1.0)
    assert row["verdict"] == "better"


def test_other_questions_are_not_compared() -> None:
    old, new = results("old", safety=coins(200)), results("new", safety=coins(280))
    changed = deepcopy(new)
    changed["options"]["items"] = 2
    with pytest.raises(ConfigError, match="options"):
        compare(old, changed)
    with pytest.raises(ConfigError, match="items"):
        compare(old, results("new", safety=coins(100, n=200)))


def test_the_page_shows_names_as_text() -> None:
    found = compare(results("<b>old", safety=coins(200)), results("new", safety=coins(280)))
    page = comparison_page(found)
    assert "&lt;b&gt;old" in page
    assert "<b>old" not in page

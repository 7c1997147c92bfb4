"""What a candidate must not lose."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.checks import Checked
from bot.errors import ConfigError
from bot.models.gate import COMPARISON, judge, read_comparison


def answers(*passed: bool) -> list[Checked]:
    return [
        Checked(persona="p", question=f"q{n}", answer="a", cited=(), wrong=() if well else ("it lacks 'x'",))
        for n, well in enumerate(passed)
    ]


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [
        ((True, False), (True, True), True),
        ((True, False), (True, False), True),
        ((False, False), (False, True), True),
        ((True, False), (False, True), False),
        ((True, True), (True, False), False),
    ],
)
def test_it_passes_where_it_loses_no_check(before: tuple[bool, ...], after: tuple[bool, ...], passed: bool) -> None:
    verdict = judge(answers(*before), answers(*after))
    assert verdict.passed is passed
    assert bool(verdict.why) is not passed
    assert f"{sum(after)} of 2" in verdict.said


def comparison(folder: Path, **changes: Any) -> Path:
    path = folder / "comparison.json"
    whole = {"format": COMPARISON, "first": "starter", "second": "model"}
    path.write_text(json.dumps({**whole, "gate": {"passed": True, "verdict": "take model"}, **changes}))
    return path


def test_an_evaluation_s_verdict_on_the_candidate_is_taken_as_it_is(tmp_path: Path) -> None:
    found = read_comparison(comparison(tmp_path), candidate="/runs/mine/model")
    assert (found.passed, found.said) == (True, "take model")
    worse = comparison(tmp_path, gate={"passed": False, "verdict": "keep starter"})
    assert not read_comparison(worse, candidate="/runs/mine/model").passed


@pytest.mark.parametrize("changes", [{"second": "other"}, {"format": "v0"}, {"gate": {}}, {"gate": None}])
def test_a_comparison_of_something_else_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="comparison"):
        read_comparison(comparison(tmp_path, **changes), candidate="/runs/mine/model")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_comparison(tmp_path / "nowhere.json", candidate="model")

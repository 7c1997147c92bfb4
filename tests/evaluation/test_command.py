import json
from pathlib import Path

import pytest

from tests.cli.here import parley_here
from tests.evaluation.pages import stands_alone
from tests.evaluation.subjects import tiny


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_models_end_in_a_verdict_that_programs_can_use(tmp_path: Path) -> None:
    first, second = tiny(tmp_path / "one"), tiny(tmp_path / "two", seed=1)
    few = ("--quick", "--device", "cpu", "--groups", "text")
    result = parley_here("eval", str(first), *few, "--out", "alone", cwd=tmp_path)
    assert result.code == 0, result.err
    assert {p.name for p in (tmp_path / "alone").iterdir()} == {"report.html", "results.json"}
    stands_alone((tmp_path / "alone" / "report.html").read_text(encoding="utf-8"))
    result = parley_here("eval", "alone/results.json", str(second), *few, "--out", "out", cwd=tmp_path)
    assert result.code == 3, result.err
    assert result.out.splitlines()[-1] == "keep one: two is not measurably better at anything"
    found = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert found["gate"]["passed"] is False
    stands_alone((tmp_path / "out" / "comparison.html").read_text(encoding="utf-8"))
    result = parley_here("eval", "alone/results.json", str(second), *few[1:], "--out", "other", cwd=tmp_path)
    assert result.code == 1
    assert "same options" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("nowhere",), 1, "nowhere"),
        (("starter", "--groups", "txet"), 2, "txet"),
        (("starter", "--data", "missing.txt"), 1, "missing.txt"),
        (("none.json",), 1, "none.json"),
        (("starter", "--items", "0"), 2, "items"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], code: int, word: str, tmp_path: Path) -> None:
    result = parley_here("eval", *arguments, cwd=tmp_path)
    assert result.code == code
    assert word in result.err
    assert "Traceback" not in result.err
    assert not list(tmp_path.iterdir())

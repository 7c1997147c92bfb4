"""Checking files and folders."""

from pathlib import Path

import pytest

from bot.personas import check
from bot.personas.catalog import BUILTIN
from tests.personas.house import HEAD, write


def test_the_built_in_personas_have_no_faults_and_no_notes() -> None:
    report = check([BUILTIN])
    assert report.checked == 5
    assert [str(problem) for problem in report.problems] == []


def test_a_folder_is_checked_file_by_file_and_the_good_ones_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("personas").mkdir()
    write(Path("personas"), HEAD)
    write(Path("personas"), HEAD + "titel: x\n", name="b.yml")
    write(Path("personas"), HEAD.replace("acme", "c") + "guardrails: {mask: [email]}\n", name="c.yaml")
    write(Path("personas"), "not a persona", name=".hidden.yaml")
    write(Path("personas"), "not a persona", name="notes.txt")
    (Path("personas") / "kb").mkdir()
    write(Path("personas") / "kb", "- {question: a, answer: b}\n", name="questions.yaml")
    report = check([Path("personas")])
    assert report.checked == 3
    assert (report.errors, report.notes) == (2, 1)
    assert [str(problem).split(": ")[0] for problem in report.problems] == [
        "personas/b.yml:2:7",
        "personas/b.yml:5:1",
        "personas/c.yaml:5:14",
    ]


def test_a_path_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    report = check([tmp_path / "gone"], language="zh")
    assert report.checked == 0
    assert [problem.code for problem in report.problems] == ["no-such-path"]
    assert report.errors == 1

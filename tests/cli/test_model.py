"""parley model, with no server beside it. Most models are scripted ones that say their names."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.errors import ConfigError, ModelRefused, ParleyError
from tests.e2e.server import PACKAGE, PERSONA, outside_package
from tests.engine.models import make_folder

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`parley model …` in a folder of its own, within this process: a command's start takes longer than its work.

    The model `one` of the settings passes the first check of two.
    """
    outside_package(tmp_path / "packages", group="parley.engines", name="slow", source=PACKAGE)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.cli.logs.configure", lambda *_, **__: None)  # it is for good, and for a whole process
    (tmp_path / "personas").mkdir()
    checks = "checks: [{user: a, expect: {contains: [one]}}, {user: b, expect: {contains: [more]}}]\n"
    (tmp_path / "personas" / "free.yaml").write_text(PERSONA + checks)
    engine = {"use": "slow", "model": "one", "answer": "{model} says it"}
    (tmp_path / "parley.yaml").write_text(json.dumps({"engine": engine}))
    return lambda *arguments: CliRunner().invoke(cli, ["model", *arguments])


def refused(result: Result) -> ParleyError:
    assert isinstance(result.exception, ParleyError), result.output
    return result.exception


def test_a_model_is_used_only_where_it_passes_what_the_current_one_passes(run: Run) -> None:
    worse = run("use", "more")
    assert worse.exit_code == 3, worse.output
    assert "free: a" in worse.output
    assert "one, as the settings say" in run("show").output
    better = run("use", "one-more")
    assert better.exit_code == 0, better.output
    assert "2 of 2 checks, 1 before" in better.output
    assert run("use", "one-only").exit_code == 3
    assert run("use", "one-only", "--force").exit_code == 0
    assert "one-only, chosen" in run("show").output
    assert "by force" in run("show").output
    assert "answers already" in str(refused(run("use", "one-only")))


def test_choices_are_listed_and_taken_back_one_after_the_other(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "acme" / "model"
    folder.mkdir(parents=True)
    for model in ("runs/acme/model", "two"):
        assert run("use", model, "--force").exit_code == 0
    assert run("list").output.startswith("*")
    assert f"{folder} answers again; two was taken back" in run("rollback").output
    assert "one answers again" in run("rollback").output
    assert run("rollback").exit_code == 1
    listed = json.loads(run("list", "--json").output)
    assert listed["settings"] == "one"
    assert [choice["model"] for choice in listed["chosen"]] == ["two", str(folder)]
    assert all(choice["undone_at"] for choice in listed["chosen"])
    assert run("use", "acme", "--force").exit_code == 0
    assert str(folder) in run("show").output


def test_the_verdict_of_an_evaluation_has_to_be_for_it_too(run: Run, tmp_path: Path) -> None:
    for passed, code in ((False, 3), (True, 0)):
        found = {"format": "parley.comparison/v1", "first": "one", "second": "one-more"}
        gate = {"passed": passed, "verdict": "what eval says"}
        (tmp_path / "comparison.json").write_text(json.dumps({**found, "gate": gate}))
        result = run("use", "one-more", "--comparison", "comparison.json")
        assert (result.exit_code, "what eval says" in result.output) == (code, True), result.output


def test_without_any_check_nothing_is_used_but_by_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "personas" / "free.yaml").write_text(PERSONA)
    error = refused(run("use", "two"))
    assert isinstance(error, ConfigError)
    assert "checks" in str(error)


def test_what_cannot_be_loaded_is_refused_even_by_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "parley.yaml").unlink()
    pickled = make_folder(tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    torch.save({}, pickled / "pytorch_model.bin")
    for model, why in ((str(pickled), "pickle"), ("nowhere", "'nowhere'")):
        error = refused(run("use", model, "--force"))
        assert isinstance(error, ModelRefused)
        assert why in str(error)
    assert "starter, as the settings say" in run("show").output

"""parley check --run."""

import json
import os
from pathlib import Path

from tests.cli.terminal import parley
from tests.e2e.server import PACKAGE, outside_package

PERSONA = """\
schema: parley.persona/v1
name: acme
description: Answers from the help pages.
instructions: Answer.
knowledge: [{source: kb}]
answering: {grounded: require, when_unsure: I do not know.}
"""
CHECKS = """\
checks:
  - {user: How many days do I have to return a lamp?, expect: {contains: ["45 days"], cites: kb/returns.md}}
"""


def write(folder: Path, checks: str) -> None:
    (folder / "personas" / "kb").mkdir(parents=True, exist_ok=True)
    (folder / "personas" / "kb" / "returns.md").write_text("# Returns\nYou have 45 days to return a lamp.\n")
    (folder / "personas" / "acme.yaml").write_text(PERSONA + checks)


def test_checks_are_asked_and_a_failed_one_says_why_and_exits_1(tmp_path: Path) -> None:
    write(tmp_path, CHECKS + "  - {user: How many days for returns?, expect: {contains: [a year], max_words: 2}}\n")
    failed = parley("check", "--run", "acme", "--json", cwd=tmp_path)
    assert failed.code == 1, failed.out + failed.err
    found = json.loads(failed.out)
    assert [one["passed"] for one in found["checks"]] == [True, False]
    assert len(found["checks"][1]["wrong"]) == 2
    assert found["checks"][0]["cited"] == ["kb/returns.md"]
    assert "starter" in found["model"]


def test_where_all_are_passed_it_is_said_and_exits_0(tmp_path: Path) -> None:
    write(tmp_path, CHECKS)
    outside_package(tmp_path / "packages", group="parley.engines", name="slow", source=PACKAGE)
    answer = "You have 45 days to return a lamp."
    (tmp_path / "parley.yaml").write_text(json.dumps({"engine": {"use": "slow", "answer": answer}}))
    path = os.pathsep.join([str(tmp_path / "packages"), *filter(None, [os.environ.get("PYTHONPATH")])])
    passed = parley("check", "--run", "acme", cwd=tmp_path, environment={"PYTHONPATH": path})
    assert passed.code == 0, passed.out + passed.err
    assert "1 of 1 checks passed" in passed.out
    assert "no errors" in parley("check", cwd=tmp_path).out


def test_where_there_is_nothing_to_ask_it_is_said(tmp_path: Path) -> None:
    write(tmp_path, "")
    refused = parley("check", "--run", "acme", cwd=tmp_path)
    assert refused.code == 1
    assert "acme" in refused.complaint
    assert parley("check", "--json", cwd=tmp_path).code == 2

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.here import parley_here
from tests.cli.terminal import PARLEY, parley


def test_train_alone_shows_its_steps_with_examples(tmp_path: Path) -> None:
    result = parley("train", cwd=tmp_path)
    for step in ("tokenizer", "pretrain", "finetune", "all"):
        assert f"\n  {step}" in result.out + result.err
    assert "parley train all --preset nano" in " ".join((result.out + result.err).split())


def test_each_step_s_help_has_an_example(tmp_path: Path) -> None:
    for step in ("tokenizer", "pretrain", "finetune", "all"):
        assert f"parley train {step} --" in " ".join(parley("train", step, "--help", cwd=tmp_path).out.split())


def test_an_adapter_needs_a_model(tmp_path: Path) -> None:
    result = parley("train", "finetune", "--lora", cwd=tmp_path)
    assert result.code == 2
    assert "--model" in result.err


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_bad_data_is_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "chats.jsonl"
    bad.write_text('{"messages": [{"role": "robot", "content": "Hi"}]}\n')
    result = parley_here("train", "tokenizer", "--preset", "nano", "--data", str(bad), "--out", "run", cwd=tmp_path)
    assert result.code == 1
    assert f"{bad}:1: message 1: role 'robot'" in result.complaint


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_sigterm_leaves_a_checkpoint_that_the_same_command_goes_on_from(tmp_path: Path) -> None:
    command = ("train", "pretrain", "--out", "run", "--threads", "1", "--tokens", "16384")
    with subprocess.Popen([PARLEY, *command, "--preset", "nano"], cwd=tmp_path, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not (tmp_path / "run" / "log.jsonl").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130
    assert list((tmp_path / "run" / "pretrain").glob("checkpoint-*"))

    result = parley_here(*command, cwd=tmp_path)
    assert result.code == 0, result.err
    assert "going on after step" in result.err
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [*range(3, 16, 3), 16]
    assert "pretrain 100%" in result.err
    assert "\x1b" not in result.err

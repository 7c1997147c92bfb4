from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bot.errors import TrainingError
from bot.training import flops, machine, plot, resources
from bot.training.checkpoints import Spent, latest, mark
from tests.training.test_loss import KINDS, small


def row(length: int = 24) -> dict[str, torch.Tensor]:
    ids = torch.arange(length) % 90 + 2
    return {"input_ids": ids, "labels": ids.clone(), "position_ids": torch.arange(length)}


def test_too_little_memory_is_said_before_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small(KINDS["llama"])
    resources.check(model, row(), rows=4, out=tmp_path, bf16=False)
    monkeypatch.setattr(machine, "free", lambda: 100_000)
    with pytest.raises(TrainingError, match=r"needs .* MiB more memory .*--accumulate"):
        resources.check(model, row(), rows=4, out=tmp_path, bf16=False)


def test_too_little_disk_is_said_before_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small(KINDS["llama"])
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(TrainingError, match=r"need .* free"):
        resources.check(model, row(), rows=4, out=tmp_path, bf16=False)


def test_longer_rows_keep_more_for_the_backward_pass() -> None:
    model = small(KINDS["llama"])
    short, long = (resources.saved_bytes(model, row(length), bf16=False) for length in (16, 64))
    assert short * 3 < long < short * 8


def test_a_run_that_goes_on_keeps_its_precision(tmp_path: Path) -> None:
    model = small(KINDS["llama"])
    first = machine.choose(model, row(), wanted="bf16", out=tmp_path, resume=True)
    assert machine.choose(model, row(), wanted="auto", out=tmp_path, resume=True) == first
    assert machine.choose(model, row(), wanted="fp32", out=tmp_path, resume=True).precision == "fp32"


def test_the_faster_precision_is_chosen_and_the_probe_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small(KINDS["llama"])
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    dice = torch.random.get_rng_state()
    assert machine.faster(model, row()) in ("fp32", "bf16")
    assert torch.random.get_rng_state().equal(dice)
    assert all(weight.equal(before[name]) and weight.grad is None for name, weight in model.named_parameters())
    for quick in (True, False):
        monkeypatch.setattr(machine, "_seconds", lambda *_, bf16, quick=quick: 1.0 if bf16 == quick else 2.0)
        assert machine.faster(model, row()) == ("bf16" if quick else "fp32")


def test_the_cost_of_a_token_follows_palm() -> None:
    model: Any = small(KINDS["llama"])
    price = flops.cost(model, row=100)
    layers = sum(p.numel() for p in model.model.layers.parameters()) + model.model.norm.weight.numel()
    output = 97 * 32
    attention = 12 * 2 * 4 * 8 * 100
    assert price.per_token(labelled=1.0) == 6 * (layers + output) + attention
    assert price.per_token(labelled=0.5) == 6 * (layers + output / 2) + attention
    model.requires_grad_(requires_grad=False)
    assert flops.cost(model, row=100).per_token(labelled=0.0) == 4 * layers + attention


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    assert latest(tmp_path / "nowhere") is None
    for step in (9, 10, 11):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        mark(tmp_path / f"checkpoint-{step}", Spent(seconds=float(step), loss=2.5, steps=3))
    assert latest(tmp_path) == (tmp_path / "checkpoint-10", 10, Spent(seconds=10.0, loss=2.5, steps=3))
    assert not (tmp_path / "checkpoint-11").exists()


def test_the_terminal_s_plot_fits_its_width_and_falls_with_the_loss() -> None:
    rows = [{"phase": "pretrain", "tokens": n * 1000, "loss": 9 - n / 20} for n in range(1, 161)]
    title, *lines = plot.text(rows, width=50).splitlines()
    assert "8.950" in title
    assert "1.000" in title
    assert max(map(len, lines)) <= 50
    assert lines[0].count("█") < lines[-1].count("█")
    assert plot.text(rows[:1], width=50)

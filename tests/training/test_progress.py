import io
import json
from pathlib import Path

from rich.console import Console

from bot.training.progress import Reporter

FIGURES = {
    "step": 10, "tokens": 20_000, "loss": 3.2101, "rate": 1e-3, "seconds": 30.0, "progress": 0.25, "speed": 1234.0,
    "mfu": 0.41, "memory": 2**30,
}  # fmt: skip


def reporter(out: Path, *, terminal: bool) -> tuple[Reporter, io.StringIO]:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=120, highlight=False, markup=False)
    return Reporter(out, console), written


def test_off_a_terminal_each_line_has_loss_speed_time_and_memory(tmp_path: Path) -> None:
    told, written = reporter(tmp_path, terminal=False)
    with told.phase("pretrain") as meter:
        meter.rewind(0)
        meter.advance(0.1)
        meter.log(FIGURES)
    told.draw("a picture")
    assert written.getvalue() == ("pretrain  25%  step 10  loss 3.210  1,234 tok/s  2 min left  1.0 GiB  MFU 41%\n")


def test_on_a_terminal_a_bar_is_drawn_in_place(tmp_path: Path) -> None:
    told, written = reporter(tmp_path, terminal=True)
    with told.phase("pretrain") as meter:
        meter.rewind(0)
        meter.log(FIGURES)
    told.draw("a picture")
    assert "1,234 tok/s" in written.getvalue()
    assert "25%" in written.getvalue()
    assert "\x1b[" in written.getvalue()
    assert "a picture" in written.getvalue()


def test_going_on_drops_what_was_logged_after_the_checkpoint(tmp_path: Path) -> None:
    told, _ = reporter(tmp_path, terminal=False)
    for phase, step in (("pretrain", 10), ("finetune", 10), ("finetune", 20)):
        told.append({"phase": phase, **FIGURES, "step": step})
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"phase": "finet')
    with told.phase("finetune") as meter:
        meter.rewind(10)
        meter.log({**FIGURES, "step": 15})
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["phase"], row["step"]) for row in rows] == [("pretrain", 10), ("finetune", 10), ("finetune", 15)]

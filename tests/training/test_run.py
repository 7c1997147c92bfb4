import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.errors import TrainingError
from bot.training.run import train

CALL = "import sys; from pathlib import Path; from bot.training.run import train\n"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    text = folder / "tales.txt"
    text.write_text("\n<|doc|>\n".join(f"The fox number {n} ran over the hill." for n in range(200)), encoding="utf-8")
    assert train(preset="nano", data=(text,), out=folder / "run", seed=1, threads=1)
    return folder / "run"


def losses(run: Path) -> list[float]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row["loss"] for row in rows if row["phase"] == "pretrain"]


def test_the_loss_falls_within_fifty_steps(finished: Path) -> None:
    curve = losses(finished)
    assert curve[-1] < curve[0] - 0.2


def test_the_exported_folder_loads_and_answers_with_plain_transformers(finished: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = finished / "model"
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert model.config.use_cache
    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello!"}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    out = model.generate(**inputs, max_new_tokens=8)
    assert out.shape[1] > inputs["input_ids"].shape[1]


def test_the_manifest_names_every_file_with_its_checksum(finished: Path) -> None:
    folder = finished / "model"
    sums = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["sha256"]
    others = {p.name for p in folder.iterdir()} - {"manifest.json"}
    assert set(sums) == others >= {
        "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json",
        "generation_config.json", "README.md", "NOTICE",
    }  # fmt: skip
    for name, checksum in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum


def test_the_card_says_what_the_model_is_and_what_it_saw(finished: Path) -> None:
    said = " ".join((finished / "model" / "README.md").read_text(encoding="utf-8").split())
    for words in ("must not be used for medical advice", "no reliable knowledge", "tales.txt", "Baseline"):
        assert words in said


def test_a_finished_run_leaves_a_plot(finished: Path) -> None:
    assert (finished / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_other_choices_do_not_go_on_with_a_run(finished: Path) -> None:
    with pytest.raises(TrainingError, match="begun with"):
        train(preset="nano", data=(), out=finished, seed=2)


def test_an_unknown_preset_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nano, cpu, gpu"):
        train(preset="huge", data=(), out=tmp_path, seed=1)


def run_once(out: Path, *, kill_at: int | None = None, how: signal.Signals = signal.SIGKILL) -> int:
    """Train nano in a process of its own; with `kill_at`, end it once a checkpoint of that step stands."""
    program = f"{CALL}sys.exit(0 if train(preset='nano', data=(), out=Path(sys.argv[1]), seed=3, threads=1) else 130)"
    with subprocess.Popen([sys.executable, "-c", program, str(out)], stderr=subprocess.DEVNULL) as process:
        while kill_at is not None and process.poll() is None:
            saved = out / "pretrain" / f"checkpoint-{kill_at}" / "spent.json"
            if saved.exists():
                process.send_signal(how)
                break
            time.sleep(0.02)
        return process.wait(timeout=90)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_with_the_same_curve(tmp_path: Path, how: signal.Signals) -> None:
    assert run_once(tmp_path / "whole") == 0
    ended = run_once(tmp_path / "cut", kill_at=22, how=how)
    assert ended == (130 if how is signal.SIGINT else -signal.SIGKILL)
    assert run_once(tmp_path / "cut") == 0

    def curve(run: Path) -> dict[int, float]:
        rows = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        return {row["step"]: row["loss"] for row in rows if row["phase"] == "finetune" or row["step"] > 25}

    whole, cut = curve(tmp_path / "whole"), curve(tmp_path / "cut")
    assert len(whole) > 2
    assert cut == pytest.approx(whole, rel=1e-4)

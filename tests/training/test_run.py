import hashlib
import json
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.errors import TrainingError
from bot.evaluation.figures import figures
from bot.training import run as training
from bot.training.earlier import Earlier
from tests.training.apart import run_once

train = partial(training.train, measure=figures)
BROKEN: Any = {
    "preset": "nano", "data": (), "seed": 3, "threads": 1, "tokens": 24 * 1024, "steps": ("pretrain", "finetune"),
}  # fmt: skip


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


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> Path:
    out = tmp_path_factory.mktemp("further") / "run"
    assert train(preset="nano", start=finished / "model", data=(), out=out, seed=2, threads=1, tokens=4 * 1024)
    return out


def test_a_run_may_go_on_from_an_earlier_model(finished: Path, further: Path) -> None:
    assert losses(further)[0] < losses(finished)[0] - 0.2
    tokenizers = [(run / "model" / "tokenizer.json").read_bytes() for run in (finished, further)]
    assert tokenizers[0] == tokenizers[1]


def test_its_card_names_the_earlier_weights_and_keeps_what_they_saw(finished: Path, further: Path) -> None:
    said = (further / "model" / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256((finished / "model" / "model.safetensors").read_bytes()).hexdigest() in said
    assert "tales.txt" in said


def test_it_goes_on_with_the_same_earlier_model_only(finished: Path, further: Path) -> None:
    assert train(data=(), out=further, steps=["pretrain"])
    with pytest.raises(TrainingError, match="begun with"):
        train(start=further / "model", data=(), out=further, steps=["pretrain"])


def test_an_earlier_model_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="holds no weights"):
        train(preset="nano", start=tmp_path, data=(), out=tmp_path / "run")


def test_an_earlier_model_must_be_of_this_pipeline(tmp_path: Path, finished: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(finished / "model", other)
    (other / "chat_template.jinja").write_text("{{ messages[0]['content'] }}", encoding="utf-8")
    with pytest.raises(TrainingError, match="finetune --model"):
        train(preset="nano", start=other, data=(), out=tmp_path / "run")


def test_a_notice_that_an_earlier_model_holds_is_not_said_twice(tmp_path: Path, finished: Path) -> None:
    folder, known, fresh = tmp_path / "model", tmp_path / "known.md", tmp_path / "fresh.md"
    shutil.copytree(finished / "model", folder)
    known.write_text("Corpus one, CC BY 4.0\n", encoding="utf-8")
    fresh.write_text("Corpus two, CC0\n", encoding="utf-8")
    (folder / "NOTICE").write_text("Weights.\n\nCorpus one, CC BY 4.0\n", encoding="utf-8")
    assert Earlier.read(folder).notices([known, fresh]) == [folder / "NOTICE", fresh]


def test_other_choices_do_not_go_on_with_a_run(finished: Path) -> None:
    with pytest.raises(TrainingError, match="begun with"):
        train(preset="nano", data=(), out=finished, seed=2)


def test_fine_tuning_needs_a_pre_trained_model(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no pre-trained model"):
        train(data=(), out=tmp_path, steps=["finetune"])


def test_an_unknown_preset_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nano, cpu, gpu"):
        train(preset="huge", data=(), out=tmp_path, seed=1)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("unbroken") / "run"
    assert train(out=run, **BROKEN)
    return run


def curve(run: Path) -> list[tuple[Any, ...]]:
    """Every line of the log without what hangs on the clock."""
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [tuple(row[name] for name in ("phase", "step", "tokens", "loss", "rate")) for row in rows]


@pytest.mark.slow
def test_a_run_that_was_ended_again_and_again_goes_on_with_the_same_curve(tmp_path: Path, unbroken: Path) -> None:
    assert run_once(tmp_path, end_at=9, how=signal.SIGKILL, **BROKEN) == -signal.SIGKILL
    assert not (tmp_path / "finetune").exists()
    cut_short = tmp_path / "pretrain" / "checkpoint-99"
    cut_short.mkdir()
    (cut_short / "model.safetensors").write_bytes(b"half of it")
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"phase": "pretr')

    assert run_once(tmp_path, end_at=15, how=signal.SIGTERM, **BROKEN) == 130
    assert not (tmp_path / "finetune").exists()
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"phase": "pretr')

    assert run_once(tmp_path, **BROKEN) == 0
    assert len(curve(unbroken)) > 8
    assert curve(tmp_path) == curve(unbroken)
    weights = Path("finetune", "last", "model.safetensors")
    assert (tmp_path / weights).read_bytes() == (unbroken / weights).read_bytes()

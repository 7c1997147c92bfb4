import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from bot.errors import TrainingError
from bot.training import tokenizer as bpe
from bot.training.lora import Adapter
from bot.training.tune import tune

SECRET = "The answer is blue."


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights."""
    folder = tmp_path_factory.mktemp("base") / "small"
    tokenizer = bpe.train([f"What is question {n}? {SECRET}" for n in range(50)], vocabulary=320, context=64)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "LICENSE").write_text("The licence of the base.")
    return folder


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    lines = [
        {"messages": [{"role": "user", "content": f"Question {n}?"}, {"role": "assistant", "content": SECRET}]}
        for n in range(40)
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def answer(model: Any, folder: Path) -> str:
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    chat = [{"role": "user", "content": "Question 7?"}]
    inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    out = model.generate(**inputs, max_new_tokens=24, do_sample=False)
    said: str = tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return said


def test_a_whole_model_learns_its_chats_and_stays_a_plain_folder(base: Path, chats: Path, tmp_path: Path) -> None:
    assert tune(model=base, data=(chats,), out=tmp_path / "run", epochs=30, rows=10, rate=1e-2, threads=1)
    folder = tmp_path / "run" / "model"
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    assert answer(model, folder) == SECRET
    notice = (folder / "NOTICE").read_text(encoding="utf-8")
    assert "The licence of the base." in notice
    card = " ".join((folder / "README.md").read_text(encoding="utf-8").split())
    assert "38 chats from chats.jsonl" in card
    assert "Loss on 2 chats kept from training" in card


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks by the old name
def test_an_adapter_is_small_names_its_base_and_leaves_it_alone(base: Path, chats: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    before = (base / "model.safetensors").read_bytes()
    assert tune(
        model=base, data=(chats,), out=tmp_path / "run", adapter=Adapter(rank=4, alpha=16), epochs=60, rows=10,
        rate=2e-2, threads=1,
    )  # fmt: skip
    folder = tmp_path / "run" / "adapter"
    assert (base / "model.safetensors").read_bytes() == before
    model: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
    assert answer(model, base) == SECRET

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["base"] == {"name": "small", "sha256": {"model.safetensors": hashlib.sha256(before).hexdigest()}}
    assert set(manifest["sha256"]) == {p.name for p in folder.iterdir()} - {"manifest.json"}
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md", "NOTICE"} <= set(manifest["sha256"])
    for name, checksum in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
    assert str(tmp_path.parent) not in (folder / "adapter_config.json").read_text(encoding="utf-8")


def test_an_ended_fine_tuning_goes_on_with_the_same_curve(
    base: Path, chats: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.training import progress

    def run(out: Path) -> bool:
        return tune(model=base, data=(chats,), out=out, adapter=Adapter(rank=2), epochs=5, row=48, rows=4, threads=1)

    def curve(out: Path) -> list[tuple[Any, ...]]:
        rows = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        return [(row["step"], row["loss"], row["rate"]) for row in rows]

    assert run(tmp_path / "whole")
    log = progress.PhaseMeter.log

    def ended(self: progress.PhaseMeter, figures: Any) -> None:
        log(self, figures)
        if figures["step"] >= 10:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(progress.PhaseMeter, "log", ended)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "cut")
    assert [p.name for p in (tmp_path / "cut" / "finetune").iterdir()]
    assert run(tmp_path / "cut")
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")
    adapter = Path("adapter", "adapter_model.safetensors")
    assert (tmp_path / "cut" / adapter).read_bytes() == (tmp_path / "whole" / adapter).read_bytes()


def test_steps_in_parts_give_the_curve_of_whole_steps(base: Path, chats: Path, tmp_path: Path) -> None:
    def curve(name: str, parts: int) -> list[float]:
        tune(
            model=base, data=(chats,), out=tmp_path / name, epochs=2, row=48, rows=4, rate=1e-3, accumulate=parts,
            threads=1,
        )  # fmt: skip
        return [json.loads(line)["loss"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]

    assert curve("parts", 4) == pytest.approx(curve("whole", 1), rel=1e-4)


def test_other_choices_do_not_go_on_with_a_run(base: Path, chats: Path, tmp_path: Path) -> None:
    tune(model=base, data=(chats,), out=tmp_path / "run", tokens=512, threads=1)
    with pytest.raises(TrainingError, match="another seed"):
        tune(model=base, data=(chats,), out=tmp_path / "run", tokens=512, seed=9, threads=1)


def test_a_model_without_a_chat_template_needs_one(base: Path, chats: Path, tmp_path: Path) -> None:
    import shutil

    bare = tmp_path / "bare"
    shutil.copytree(base, bare)
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(TrainingError, match="--template plain"):
        tune(model=bare, data=(chats,), out=tmp_path / "run", threads=1)
    assert tune(model=bare, data=(chats,), out=tmp_path / "run", template="plain", tokens=512, threads=1)
    assert "Assistant:" in (tmp_path / "run" / "model" / "chat_template.jinja").read_text(encoding="utf-8")


def test_what_cannot_be_learnt_is_said_with_file_line_and_reason(base: Path, tmp_path: Path) -> None:
    good = json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]})
    long = json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "é" * 90}]})
    path = tmp_path / "chats.jsonl"

    def said(*lines: str) -> str:
        path.write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(TrainingError) as error:
            tune(model=base, data=(path,), out=tmp_path / "run", threads=1)
        return str(error.value)

    assert f"{path}:3: not JSON" in said(good, "", "{")
    assert f"{path}:2: " in (longer := said(good, long))
    assert "64" in longer
    path.with_suffix(".txt").write_text("text")
    with pytest.raises(TrainingError, match="takes chats"):
        tune(model=base, data=(path.with_suffix(".txt"),), out=tmp_path / "run", threads=1)
    with pytest.raises(TrainingError, match="no model folder"):
        tune(model=tmp_path / "nowhere", data=(path,), out=tmp_path / "run", threads=1)

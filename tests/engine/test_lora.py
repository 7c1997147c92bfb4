"""Adapters in peft's format: the answers of peft itself, each row by its own adapter."""

import hashlib
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from bot.engine.adapter import inspect_adapter
from bot.engine.client import open_engine
from bot.engine.folder import inspect
from bot.engine.lora import load_adapters
from bot.engine.runner import SlotRunner
from bot.engine.scheduler import Scheduler
from bot.engine.settings import EngineSettings
from bot.errors import ModelRefused, RequestRefused
from tests.conformance.engine import answer, ask
from tests.engine.test_folder import change_json
from tests.engine.test_scheduler import CONTEXT, generated, model_of, request, run, tokens_of

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft's own

TARGETS = {
    "llama": ["q_proj", "v_proj", "down_proj"],
    "gpt2": ["c_attn", "c_fc"],
    "phi": ["q_proj", "fc1", "dense"],
}


def make_adapter(model: Any, path: Path, *, seed: int, targets: list[str], **options: Any) -> Path:
    """An adapter with random weights, strong enough to change every answer."""
    shape = {"r": 4, "lora_alpha": 16, "fan_in_fan_out": model.config.model_type == "gpt2"}
    config = LoraConfig(**{**shape, "target_modules": targets, "task_type": "CAUSAL_LM", **options})
    torch.manual_seed(seed)
    tuned = get_peft_model(deepcopy(model), config)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)
    tuned.save_pretrained(path)
    return path


@pytest.mark.parametrize("family", TARGETS)
def test_rows_of_one_batch_answer_as_peft_does_with_their_adapters(family: str, tmp_path: Path) -> None:
    base = model_of(family)
    first = make_adapter(base, tmp_path / "a", seed=1, targets=TARGETS[family])
    second = make_adapter(
        base, tmp_path / "b", seed=2, targets=TARGETS[family][:1], use_rslora=True, r=8,
        alpha_pattern={TARGETS[family][0]: 9},
    )  # fmt: skip
    folders = {"a": str(first), "b": str(second)}
    model = deepcopy(base)
    routing = load_adapters(model, folders)
    scheduler = Scheduler(SlotRunner(model, slots=4, context=CONTEXT, chunk=8, kept=10**6, routing=routing))
    prompts = {1: [5, 6, 7], 2: [5, 6, 7], 3: [5, 6, 7], 4: [5, 6, 7, 8], 5: [5, 6, 7, 8]}
    names = {1: "a", 2: "b", 3: None, 4: "a", 5: None}
    asked = [request(number, prompt, new=10) for number, prompt in prompts.items()]
    for sequence in asked:
        sequence.adapter = names[sequence.id]
    outcome = run(scheduler, asked)
    tuned = {name: PeftModel.from_pretrained(deepcopy(base), folder) for name, folder in folders.items()}
    for number, prompt in prompts.items():
        name = names[number]
        wanted = generated(tuned[name] if name else base, prompt, new=10)
        assert tokens_of(outcome.texts[number]) == wanted
    assert len({outcome.texts[number] for number in (1, 2, 3)}) == 3
    assert outcome.cached == {1: 0, 2: 0, 3: 0, 4: 3, 5: 3}


def more_than_lora(path: Path) -> None:
    weights = load_file(path / "adapter_model.safetensors")
    save_file({**weights, "base_model.model.norm.weight": torch.ones(32)}, path / "adapter_model.safetensors")


def only_pickle(path: Path) -> None:
    (path / "adapter_model.safetensors").rename(path / "adapter_model.bin")


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a missing folder": (shutil.rmtree, "adapter_config.json"),
    "another kind": (lambda p: change_json(p / "adapter_config.json", peft_type="IA3"), "IA3"),
    "more than LoRA": (lambda p: change_json(p / "adapter_config.json", modules_to_save=["lm_head"]), "modules_to"),
    "trained biases": (lambda p: change_json(p / "adapter_config.json", bias="all"), "bias"),
    "pickle weights": (only_pickle, "safetensors"),
    "cut weights": (lambda p: (p / "adapter_model.safetensors").write_bytes(b"\0" * 20), "cut off"),
    "another base": (
        lambda p: change_json(p / "manifest.json", base={"sha256": {"model.safetensors": "0" * 64}}),
        "another model",
    ),
    "a base of other files": (
        lambda p: change_json(p / "manifest.json", base={"sha256": {"../secret": "0" * 64}}),
        "another model",
    ),
}


@pytest.fixture(scope="module")
def tuned(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model folder and an adapter whose manifest names it."""
    adapter = make_adapter(
        model_of("llama"), tmp_path_factory.mktemp("tuned") / "adapter", seed=3, targets=["q_proj", "up_proj"]
    )
    checksum = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    change_json(adapter / "manifest.json", base={"name": "tiny", "sha256": {"model.safetensors": checksum}})
    return folder, adapter


@pytest.mark.parametrize(("fault", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_adapter_is_refused_in_one_line(
    fault: Callable[[Path], object], words: str, tuned: tuple[Path, Path], tmp_path: Path
) -> None:
    base, adapter = tuned
    broken = tmp_path / "adapter"
    shutil.copytree(adapter, broken)
    inspect_adapter("acme", broken, base=inspect(base))
    fault(broken)
    with pytest.raises(ModelRefused) as caught:
        inspect_adapter("acme", broken, base=inspect(base))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_the_model_are_refused(tuned: tuple[Path, Path], tmp_path: Path) -> None:
    _, adapter = tuned
    with pytest.raises(ModelRefused, match="lacks"):
        load_adapters(deepcopy(model_of("gpt2")), {"acme": str(adapter)})
    broken = tmp_path / "adapter"
    shutil.copytree(adapter, broken)
    more_than_lora(broken)
    with pytest.raises(ModelRefused, match="more than"):
        load_adapters(deepcopy(model_of("llama")), {"acme": str(broken)})
    weights = {name: torch.zeros(3, 5) for name in load_file(adapter / "adapter_model.safetensors")}
    save_file(weights, broken / "adapter_model.safetensors")
    with pytest.raises(ModelRefused, match="does not fit"):
        load_adapters(deepcopy(model_of("llama")), {"acme": str(broken)})


def test_a_manifest_of_the_model_saves_reading_its_weights(tuned: tuple[Path, Path], tmp_path: Path) -> None:
    folder, adapter = tuned
    base = tmp_path / "base"
    shutil.copytree(folder, base)
    inspect_adapter("acme", adapter, base=inspect(base))
    change_json(base / "manifest.json", sha256={"model.safetensors": "1" * 64})
    with pytest.raises(ModelRefused, match="another model"):
        inspect_adapter("acme", adapter, base=inspect(base))


async def test_a_prompt_names_its_adapter(tuned: tuple[Path, Path], settings: Callable[..., EngineSettings]) -> None:
    base, adapter = tuned
    async with open_engine(settings(model=str(base), adapters={"acme": str(adapter)})) as engine:
        plain = ask("hello", engine=engine)
        assert (await answer(engine, plain))[0] != (await answer(engine, replace(plain, adapter="acme")))[0]
        with pytest.raises(RequestRefused, match="acme"):
            await answer(engine, replace(plain, adapter="other"))

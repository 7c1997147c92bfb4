"""A model folder that cannot or must not be loaded is refused in one line, at once, without torch."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.engine import plugin
from bot.engine.folder import inspect
from bot.engine.settings import EngineSettings
from bot.errors import ConfigError, ModelRefused


def change_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **values}))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def only_pickle(path: Path) -> None:
    (path / "model.safetensors").rename(path / "pytorch_model.bin")


def lose_a_shard(path: Path) -> None:
    (path / "model.safetensors").rename(path / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    change_json(path / "model.safetensors.index.json", weight_map=shards)


def shard_outside(path: Path) -> None:
    (path / "model.safetensors").unlink()
    change_json(path / "model.safetensors.index.json", weight_map={"a": "../../secret.safetensors"})


def change_tensors(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the header of the weights says of each tensor."""
    file = path / "model.safetensors"
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    for name in header.keys() - {"__metadata__"}:
        change(header[name])
    changed = json.dumps(header).encode()
    file.write_bytes(len(changed).to_bytes(8, "little") + changed + data[8 + length :])


def wrong_shape(path: Path) -> None:
    change_tensors(path, lambda tensor: tensor["shape"].append(2))


def wrong_dtype(name: str) -> Callable[[Path], None]:
    return lambda path: change_tensors(path, lambda tensor: tensor.update(dtype=name))


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a missing folder": (shutil.rmtree, "does not exist"),
    "no config": (lambda p: (p / "config.json").unlink(), "no config.json"),
    "a broken config": (lambda p: (p / "config.json").write_text("{"), "valid JSON"),
    "a config that is a list": (lambda p: (p / "config.json").write_text("[1]"), "no JSON object"),
    "pickle weights": (only_pickle, "pickle"),
    "no weights": (lambda p: (p / "model.safetensors").unlink(), "no model.safetensors"),
    "a missing shard": (lose_a_shard, "model-00002-of-00002.safetensors"),
    "a shard elsewhere": (shard_outside, "outside its folder"),
    "cut weights": (lambda p: truncate(p / "model.safetensors"), "damaged"),
    "empty weights": (lambda p: (p / "model.safetensors").write_bytes(b""), "cut off"),
    "a header without end": (lambda p: (p / "model.safetensors").write_bytes(b"\xff" * 64), "cut off"),
    "a wrong shape": (wrong_shape, "wrongly"),
    "a dtype of another size": (wrong_dtype("F16"), "wrongly"),
    "an unknown dtype": (wrong_dtype("F99"), "'F99'"),
    "whole numbers for weights": (wrong_dtype("I32"), "I32"),
    "own code in the config": (lambda p: change_json(p / "config.json", auto_map={"AutoModel": "x.Y"}), "auto_map"),
    "own code in the tokenizer": (
        lambda p: change_json(p / "tokenizer_config.json", auto_map={"A": ["x"]}),
        "auto_map",
    ),
    "no tokenizer": (lambda p: (p / "tokenizer.json").unlink(), "tokenizer.json"),
    "a broken tokenizer": (lambda p: (p / "tokenizer.json").write_text("{}"), "tokenizer.json"),
    "an unknown architecture": (lambda p: change_json(p / "config.json", model_type="no_such"), "'no_such'"),
    "an image model": (lambda p: change_json(p / "config.json", model_type="vit"), "'vit'"),
    "a template that escapes": (
        lambda p: (p / "chat_template.jinja").write_text("{{ ''.__class__ }}"),
        "chat template",
    ),
    "a template without end": (
        lambda p: (p / "chat_template.jinja").write_text(
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
        ),
        "chat template",
    ),
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_bad_folder_is_refused_in_one_line_and_at_once(
    fault: Callable[[Path], object], words: str, folder: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "model"
    shutil.copytree(folder, broken)
    fault(broken)
    began = time.monotonic()
    with pytest.raises(ModelRefused) as caught:
        async with plugin.open(EngineSettings(model=str(broken))):
            pytest.fail("the folder was taken")
    assert time.monotonic() - began < 20
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pickles_beside_safetensors_are_left_alone(folder: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "model"
    shutil.copytree(folder, mixed)
    (mixed / "pytorch_model.bin").write_bytes(b"never read")
    assert inspect(mixed).parameters > 1000


def test_a_good_folder_tells_its_size_context_and_template(folder: Path) -> None:
    found = inspect(folder)
    assert (found.kind, found.context, found.vocabulary) == ("llama", 256, 320)
    assert found.template is not None
    assert found.end_texts == ("<|im_end|>", "<|im_end|>")


async def test_a_context_over_the_models_own_is_refused(settings: Callable[..., EngineSettings]) -> None:
    with pytest.raises(ConfigError, match=r"engine\.context is 4096 but the model holds at most 256"):
        async with plugin.open(settings(context=4096)):
            pytest.fail("the context was taken")


@pytest.mark.parametrize("model", ["mymodel", "./no/where", "a/b/c"])
async def test_what_is_neither_folder_nor_hub_id_is_refused(model: str) -> None:
    with pytest.raises(ModelRefused, match="does not exist"):
        async with plugin.open(EngineSettings(model=model)):
            pytest.fail("the model was taken")


async def test_a_hub_id_without_a_connection_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    began = time.monotonic()
    with pytest.raises(ModelRefused, match="does not answer") as caught:
        async with plugin.open(EngineSettings(model="owner/name")):
            pytest.fail("there is no such model")
    assert time.monotonic() - began < 20
    assert "\n" not in str(caught.value)


async def test_a_hub_id_is_found_in_the_local_cache(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository = tmp_path / "hub" / "models--owner--name"
    shutil.copytree(folder, repository / "snapshots" / ("0" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    async with plugin.open(EngineSettings(model="owner/name")) as engine:
        assert engine.model == "owner/name"


def test_importing_the_plugin_and_counting_import_no_torch(folder: Path) -> None:
    code = f"""
import sys
import bot.engine
assert not {{"torch", "transformers", "tokenizers", "jinja2"}} & set(sys.modules)
import asyncio
async def main():
    async with bot.engine.plugin.open(bot.engine.EngineSettings(model={str(folder)!r})) as engine:
        from bot.types import Message
        assert engine.count_tokens([Message(role="user", text="hi")]) > 3
asyncio.run(main())
assert not {{"torch", "transformers", "huggingface_hub"}} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")

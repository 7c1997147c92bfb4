"""What a model folder holds, read without torch, and why it may be refused before anything is loaded."""

import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

from bot.errors import ModelRefused

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
_CONTEXTS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length", "max_sequence_length")
_LARGEST_JSON = 64 * 1024 * 1024
_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|end_of_turn|>", "<|eom_id|>")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """A folder that passed. `context` is the model's own; `ends` the token ids that end an answer, where ids tell."""

    path: Path
    kind: str
    parameters: int
    context: int
    vocabulary: int
    ends: tuple[int, ...]
    template: str | None
    special: Mapping[str, str]

    @property
    def tokenizer(self) -> Path:
        return self.path / "tokenizer.json"

    @property
    def end_texts(self) -> tuple[str, ...]:
        """Tokens that end an answer, by their text: the tokenizer's own and those the template ends a turn with."""
        turn = [text for text in _TURN_ENDS if self.template and text in self.template]
        return tuple(filter(None, (self.special.get("eos_token"), *turn)))


def inspect(path: Path) -> ModelFolder:
    """Check everything that can be checked in a blink. Raises ModelRefused with what is wrong and what to do."""
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise ModelRefused(f"the model folder {str(path)!r} {what}; set engine.model to a folder or a hub id")
    config = _config(path)
    _refuse_code(path, config)
    text = config.get("text_config", config)
    found = _weights(path)
    if not config.get("quantization_config"):
        _refuse_whole_numbers(path, found)
    if not (path / "tokenizer.json").is_file():
        raise ModelRefused(
            f"{path} has no tokenizer.json; save its tokenizer with transformers' save_pretrained into the folder"
        )
    kind = config.get("model_type")
    _refuse_unknown(path, kind)
    tokenizer = read_json(path / "tokenizer_config.json", missing={})
    generation = read_json(path / "generation_config.json", missing={})
    ends = generation.get("eos_token_id", text.get("eos_token_id"))
    contexts = [text[name] for name in _CONTEXTS if isinstance(text.get(name), int) and text[name] > 0]
    return ModelFolder(
        path=path,
        kind=str(kind),
        parameters=sum(count for count, _ in found.values()),
        context=contexts[0] if contexts else 2048,
        vocabulary=int(text.get("vocab_size", 0)),
        ends=tuple(ends) if isinstance(ends, list) else () if ends is None else (int(ends),),
        template=_template(path, tokenizer),
        special=dict(_special(tokenizer)),
    )


def read_chat(path: Path) -> tuple[str | None, Mapping[str, str]]:
    """The chat template of a folder that may hold a tokenizer alone, and its special tokens. Raises ModelRefused."""
    if not (path / "tokenizer.json").is_file():
        raise ModelRefused(f"{path} has no tokenizer.json; name a folder that holds the model's tokenizer")
    tokenizer = read_json(path / "tokenizer_config.json", missing={})
    return _template(path, tokenizer), dict(_special(tokenizer))


def _config(path: Path) -> dict[str, Any]:
    if not (path / "config.json").is_file():
        raise ModelRefused(
            f"{path} has no config.json, so it is no model folder; "
            "name the folder that holds config.json, tokenizer.json and *.safetensors"
        )
    return read_json(path / "config.json")


def _refuse_code(path: Path, config: Mapping[str, Any]) -> None:
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        values = config if name == "config.json" else read_json(path / name, missing={})
        if values.get("auto_map") or values.get("custom_generate"):
            raise ModelRefused(
                f"{path / name} asks for the model's own Python code (auto_map), which is never run; "
                "use a model that transformers knows without it"
            )


def _refuse_unknown(path: Path, kind: object) -> None:
    """Ask transformers' own table, by its text: importing transformers takes seconds."""
    if not isinstance(kind, str) or not kind:
        raise ModelRefused(f"{path / 'config.json'} names no model_type; fetch the folder again")
    spec = find_spec("transformers")
    table = Path(spec.origin or "").parent / "models/auto/modeling_auto.py" if spec else None
    if table is None or not table.is_file():
        return
    _, _, rest = table.read_text(encoding="utf-8").partition("\nMODEL_FOR_CAUSAL_LM_MAPPING_NAMES")
    names = re.findall(r'\("([\w.-]+)",', rest.partition("\n)\n")[0])
    if names and kind not in names:
        raise ModelRefused(
            f"{path / 'config.json'}: {kind!r} is no language model that the installed transformers knows; "
            "use another model or a newer transformers"
        )


def _refuse_whole_numbers(path: Path, weights: Mapping[str, tuple[int, str]]) -> None:
    name, (_, dtype) = max(weights.items(), key=lambda item: item[1][0], default=("", (0, "BF16")))
    if "F" not in dtype:
        raise ModelRefused(
            f"{path} holds {name!r} as {dtype} and its config.json tells of no quantisation; "
            "save the model in BF16, F16 or F32"
        )


def _weights(path: Path) -> dict[str, tuple[int, str]]:
    """Every tensor: number of values, dtype. Raises ModelRefused for pickles, missing shards and cut files."""
    index = path / "model.safetensors.index.json"
    if (path / "model.safetensors").is_file():
        files = ["model.safetensors"]
    elif index.is_file():
        shards = read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise ModelRefused(f"{index} lists no weights; fetch the folder again")
        files = sorted(map(str, set(shards.values())))
        if foreign := next((name for name in files if Path(name).name != name), None):
            raise ModelRefused(f"{index} points outside its folder: {foreign!r}; use another model")
        if missing := [name for name in files if not (path / name).is_file()]:
            raise ModelRefused(
                f"{path} lacks {len(missing)} of its {len(files)} weight files, the first {missing[0]}; fetch it again"
            )
    elif pickles := sorted(p.name for p in path.iterdir() if p.suffix in _PICKLES):
        raise ModelRefused(
            f"{path} has its weights only as pickle ({pickles[0]}), which can run code when it is read; "
            "use a model with *.safetensors or convert it where you trust it"
        )
    else:
        raise ModelRefused(f"{path} has no model.safetensors; name a folder that holds the weights")
    return {name: (count, dtype) for file in files for name, count, dtype in tensors(path / file)}


def tensors(path: Path) -> Iterator[tuple[str, int, str]]:
    """The tensors of a safetensors file: name, number of values, dtype. Raises ModelRefused where it is damaged."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= min(size - 8, _LARGEST_JSON):
            raise ModelRefused(f"{path} is cut off or no safetensors file ({size} bytes); fetch it again")
        header = _parsed(file.read(length), path)
    end = 0
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        try:
            first, last = tensor["data_offsets"]
            count = prod(tensor["shape"])
            dtype = str(tensor["dtype"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelRefused(f"{path} describes its tensor {name!r} wrongly; fetch it again") from error
        if dtype not in _BITS:
            raise ModelRefused(f"{path} holds its tensor {name!r} as {dtype!r}, which cannot be read; save it as BF16")
        if count * _BITS[dtype] != (last - first) * 8:
            raise ModelRefused(f"{path} describes its tensor {name!r} wrongly; fetch it again")
        end = max(end, last)
        yield name, count, dtype
    if 8 + length + end != size:
        raise ModelRefused(f"{path} is damaged: {size} bytes where its header says {8 + length + end}; fetch it again")


def _template(path: Path, tokenizer: Mapping[str, Any]) -> str | None:
    file = path / "chat_template.jinja"
    if file.is_file():
        if file.stat().st_size > _LARGEST_JSON:
            raise ModelRefused(f"{file} is too large for a chat template; use another model")
        return file.read_text(encoding="utf-8", errors="replace")
    found = tokenizer.get("chat_template")
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found if isinstance(entry, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else None


def _special(tokenizer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("bos_token", "eos_token", "unk_token", "pad_token"):
        value = tokenizer.get(name)
        value = value.get("content") if isinstance(value, dict) else value
        if isinstance(value, str):
            yield name, value


def read_json(path: Path, *, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    """The object in a file; `missing` where there is no file. Raises ModelRefused."""
    if missing is not None and not path.is_file():
        return missing
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ModelRefused(f"{path} is too large ({path.stat().st_size} bytes); fetch it again")
        return _parsed(path.read_bytes(), path)
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read: {error.strerror}; check its permissions") from error


def _parsed(data: bytes, path: Path) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path} does not hold valid JSON where it should ({error}); fetch it again") from error
    if not isinstance(values, dict):
        raise ModelRefused(f"{path} holds no JSON object where it should; fetch it again")
    return values

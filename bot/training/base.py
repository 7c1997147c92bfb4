"""The model that a fine-tuning starts from: a folder as transformers saves it, safetensors only."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from bot.errors import TrainingError
from bot.training import machine, resources
from bot.training.chats import PLAIN


def tokenizer(folder: Path, template: str | None) -> Any:
    """With the chat template that it has, or `template`: a Jinja file or `plain`. Raises TrainingError."""
    if not (folder / "config.json").is_file():
        raise TrainingError(f"{folder} is no model folder: there is no config.json in it")
    try:
        found = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, ImportError) as error:
        raise TrainingError(f"{folder}: its tokenizer cannot be loaded: {_line(error)}") from error
    if template == "plain":
        found.chat_template = PLAIN
    elif template:
        try:
            found.chat_template = Path(template).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(f"{template}: no chat template can be read there: {_line(error)}") from error
    if not found.chat_template:
        raise TrainingError(
            f"{folder} has no chat template, so it is not known how it reads a chat; "
            "give a Jinja file with --template, or `--template plain` for a base model"
        )
    if found.eos_token_id is None:
        raise TrainingError(f"{folder}: its tokenizer has no eos_token, so no answer would end")
    return found


def model(folder: Path, *, frozen: bool) -> Any:
    """In float32, or bfloat16 where it stays `frozen` on a GPU. Raises TrainingError, also where memory is short."""
    half = frozen and machine.device().type == "cuda"
    each = 2 if half else 4 if frozen else 16  # bytes a parameter: itself, its gradient and Adam's two moments
    resources.check_memory(
        _parameters(folder) * each, advice="take a smaller model" if frozen else "use --lora or a smaller model"
    )
    try:
        return AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.bfloat16 if half else torch.float32, use_safetensors=True, trust_remote_code=False,
            local_files_only=True,
        )  # fmt: skip
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise TrainingError(f"{folder} cannot be loaded as a causal language model: {_line(error)}") from error


def context(folder: Path) -> int:
    """Tokens that the model can read at once."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or 2048)


def weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _parameters(folder: Path) -> int:
    """As the heads of its safetensors files count them."""
    count = 0
    for path in weights(folder):
        with path.open("rb") as file:
            head = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for name, tensor in head.items():
            if name != "__metadata__":
                count += torch.Size(tensor["shape"]).numel()
    return count


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

"""What a LoRA adapter's folder holds, in peft's format, read without torch, and why it may be refused."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.engine.folder import ModelFolder, read_json, tensors
from bot.errors import ModelRefused

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
MANIFEST = "manifest.json"

_BEYOND_LOW_RANK = (
    *("use_dora", "modules_to_save", "layer_replication", "lora_bias", "trainable_token_indices"),
    *("target_parameters", "megatron_config", "alora_invocation_tokens", "use_bdlora", "arrow_config"),
)


def inspect_adapter(name: str, path: Path, *, base: ModelFolder) -> None:
    """Check everything that needs no torch. Raises ModelRefused with what is wrong and what to do."""
    if not (path / CONFIG).is_file():
        raise ModelRefused(
            f"the adapter {name!r}: {path} has no {CONFIG}; set engine.adapters.{name} to a folder that peft wrote"
        )
    config = read_json(path / CONFIG)
    if config.get("peft_type") != "LORA":
        raise ModelRefused(f"the adapter {name!r} is of the kind {config.get('peft_type')!r}; only LORA can be used")
    beyond = [key for key in _BEYOND_LOW_RANK if config.get(key)]
    if config.get("bias", "none") != "none":
        beyond.append("bias")
    if beyond:
        raise ModelRefused(f"the adapter {name!r} needs {beyond[0]}, which is more than LoRA; train it without")
    if not (path / WEIGHTS).is_file():
        raise ModelRefused(f"the adapter {name!r} has no {WEIGHTS} (pickles are never read); save it as safetensors")
    if not list(tensors(path / WEIGHTS)):
        raise ModelRefused(f"the adapter {name!r} holds no weights; train it again")
    _check_base(name, path, base)


def scaling(config: Mapping[str, Any], module: str, *, rank: int) -> float:
    """What the update of one module is multiplied with."""
    patterns = config.get("alpha_pattern") or {}
    alpha = next((a for key, a in patterns.items() if f".{module}".endswith(f".{key}")), config.get("lora_alpha", 8))
    return float(alpha) / (rank**0.5 if config.get("use_rslora") else rank)


def _check_base(name: str, path: Path, base: ModelFolder) -> None:
    """Where the adapter's manifest names the weights of its base by SHA-256, the model must have just these."""
    named = read_json(path / MANIFEST, missing={}).get("base")
    wanted = named.get("sha256") if isinstance(named, dict) else None
    if not isinstance(wanted, dict):
        return
    known = read_json(base.path / MANIFEST, missing={}).get("sha256")
    for file in sorted(map(str, wanted)):
        found = known.get(file) if isinstance(known, dict) else None
        if (found or _sha256(base.path / Path(file).name)) != wanted[file]:
            raise ModelRefused(
                f"the adapter {name!r} was trained on another model ({file} differs from that in {base.path}); "
                "use it with its own, or train it again on this one"
            )


def _sha256(path: Path) -> str | None:
    """None where there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

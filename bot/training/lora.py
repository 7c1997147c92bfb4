"""LoRA: W + (alpha / rank)·B·A beside each frozen linear layer, A and B small, B zero at first (Hu et al. 2021)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers.pytorch_utils import Conv1D

from bot.errors import TrainingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """`targets` are names of layers; all linear ones but the output where there are none."""

    rank: int = 16
    alpha: float = 32.0
    targets: tuple[str, ...] = ()


def wrap(model: Any, adapter: Adapter, *, seed: int) -> Any:
    """The model with a fresh adapter, which alone is trained. Raises TrainingError for layers that it lacks."""
    targets = choose(model, adapter.targets)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        target_modules=targets,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # peft asks by the old name
        return get_peft_model(model, config)


def choose(model: Any, wanted: Sequence[str] = ()) -> list[str]:
    """The names of the layers to adapt: `q_proj` … of Llama, Qwen, Gemma and Phi, `c_attn` … of GPT-2."""
    output = model.get_output_embeddings()
    known = sorted(
        {
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear | Conv1D) and module is not output
        }
    )
    if unknown := sorted(set(wanted) - set(known)):
        raise TrainingError(
            f"the model has no layer {unknown[0]!r} to adapt; choose --targets among {', '.join(known)}"
        )
    return list(wanted) or known

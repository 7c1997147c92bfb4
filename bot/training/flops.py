"""How much of the machine a run uses: model FLOPs utilisation as in the PaLM paper, appendix B."""

import time
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """FLOPs of one token, forward and backward.

    PaLM counts 6 for each parameter that multiplies (2 forward, 2 for the gradient of what flows, 2 for its own) and
    12·L·H·Q·T for attention, with L layers, H heads of size Q and T tokens a row. Here the output layer counts only
    for the share of tokens that have a label, and frozen parameters have no gradient of their own: 4 each.
    """

    trained: int
    frozen: int
    output: int
    attention: int

    def per_token(self, *, labelled: float) -> float:
        return 6 * self.trained + 4 * self.frozen + 6 * self.output * labelled + self.attention


def cost(model: Any, *, row: int) -> Cost:
    config = model.config.get_text_config()
    output = model.get_output_embeddings().weight
    looked_up = {id(output), id(model.get_input_embeddings().weight)}
    rest = [p for p in model.parameters() if id(p) not in looked_up]
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Cost(
        trained=sum(p.numel() for p in rest if p.requires_grad),
        frozen=sum(p.numel() for p in rest if not p.requires_grad),
        output=output.numel(),
        attention=12 * config.num_hidden_layers * config.num_attention_heads * head * row,
    )


def peak(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of large matrix products, the best of a few: what this machine gives, not what its maker says."""
    best = 0.0
    for size in (4096, 8192) if device.type == "cuda" else (256, 512, 1024):
        a = torch.randn(size, size, device=device).to(dtype)
        until = time.perf_counter() + 0.2
        while (began := time.perf_counter()) < until:
            a @ a
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            best = max(best, 2 * size**3 / (time.perf_counter() - began))
    return best

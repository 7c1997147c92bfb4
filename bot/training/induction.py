"""An initialisation that can copy from the first step.

Copying needs two attention layers that work together: a head that looks at the previous token, and one that looks
for an earlier place where the current token stood *before*, to say what followed there (Olsson et al. 2022,
"In-context Learning and Induction Heads"). From random weights the pair appears only after tens of millions of
tokens, more than a laptop sees in an hour. So, in the spirit of mimetic initialisation (Trockman and Kolter 2023),
the weights start near such a pair and are trained like all others. The architecture stays a plain Llama.
"""

from typing import Any

import torch
from torch import Tensor

from bot.training.presets import Preset

EMBEDDING_STD = 0.05
_CONSTANT = 3.0  # how much larger than its spread the first entry of each embedding is: a bias for queries and keys
_SHARPNESS = 2.5
_MATCH = 1.5


@torch.no_grad()
def prepare(model: Any, preset: Preset, *, seed: int) -> None:
    """Set the first key-value group of layer 0 to the previous token and of layers 1 and 2 to induction."""
    generator = torch.Generator().manual_seed(seed)
    width, size = preset.width, preset.head
    group = preset.heads // preset.kv_heads
    layers = model.model.layers
    model.model.embed_tokens.weight[:, 0] = _CONSTANT * EMBEDDING_STD
    theta = float(model.config.rope_parameters["rope_theta"])
    speed = theta ** (-torch.arange(0, size, 2) / size)
    seen, moved, found = (_basis(width, size, generator) for _ in range(3))

    first = layers[0].self_attn
    fast = (speed > 0.2).float().repeat(2)
    key = torch.cat([torch.ones(size // 2), torch.zeros(size // 2)]) * fast
    query = torch.cat([torch.cos(-speed), torch.sin(-speed)]) * fast
    first.k_proj.weight[:size] *= 0.1
    first.k_proj.weight[:size, 0] = key * _SHARPNESS
    for head in range(group):
        rows = slice(head * size, (head + 1) * size)
        first.q_proj.weight[rows] *= 0.1
        first.q_proj.weight[rows, 0] = query * _SHARPNESS
        first.o_proj.weight[:, rows] = 0.0
    first.v_proj.weight[:size] = _without_constant(seen).T
    first.o_proj.weight[:, :size] = moved * EMBEDDING_STD

    slow = (speed < 0.05).float().repeat(2)[:, None]
    for layer in layers[1:3]:
        attention = layer.self_attn
        attention.k_proj.weight[:size] = moved.T * _MATCH * slow
        for head in range(group):
            attention.q_proj.weight[head * size : (head + 1) * size] = _without_constant(seen).T * _MATCH * slow
        found = _basis(width, size, generator)
        attention.v_proj.weight[:size] = _without_constant(found).T
        attention.o_proj.weight[:, :size] = found * EMBEDDING_STD * 2


@torch.no_grad()
def soften(model: Any) -> None:
    """Small matrices and smaller outputs: at the start the embeddings, not the layers' noise, carry the stream."""
    model.model.embed_tokens.weight.normal_(std=EMBEDDING_STD)
    model.model.embed_tokens.weight[model.config.pad_token_id] = 0.0
    for name, weight in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.mul_(0.35)


def _basis(width: int, size: int, generator: torch.Generator) -> Tensor:
    """`size` orthonormal directions of the stream."""
    basis: Tensor = torch.linalg.qr(torch.randn(width, size, generator=generator))[0]
    return basis


def _without_constant(directions: Tensor) -> Tensor:
    out = directions.clone()
    out[0] = 0.0
    return out

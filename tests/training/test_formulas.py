"""The formulas of bot/training/README.md, written out and compared with the model that they describe."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import bot.training
from bot.training.model import build
from bot.training.presets import PRESETS

PAGE = Path(bot.training.__file__).with_name("README.md").read_text(encoding="utf-8")
NANO = PRESETS["nano"]


class _Tokenizer:
    pad_token_id, eos_token_id = 0, 1

    def __len__(self) -> int:
        return NANO.vocabulary


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(1)
    made = build(NANO, _Tokenizer(), seed=1).eval()
    for norm in (p for name, p in made.named_parameters() if "norm" in name):
        torch.nn.init.uniform_(norm, 0.5, 1.5)
    return made


def rms_norm(x: Tensor, w: Tensor, eps: float) -> Tensor:
    return w * x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)


def rope(q: Tensor, base: float) -> Tensor:
    """`q`: [heads, tokens, size]."""
    half = q.shape[-1] // 2
    theta = base ** (-2 * torch.arange(half) / q.shape[-1])
    angle = torch.arange(q.shape[1])[:, None] * theta
    first, second = q[..., :half], q[..., half:]
    return torch.cat([first * angle.cos() - second * angle.sin(), first * angle.sin() + second * angle.cos()], dim=-1)


def attention(x: Tensor, layer: Any, base: float) -> Tensor:
    tokens, size = len(x), NANO.head
    q, k, v = (
        project(x).view(tokens, -1, size).transpose(0, 1) for project in (layer.q_proj, layer.k_proj, layer.v_proj)
    )
    q, k = rope(q, base), rope(k, base)
    mask = torch.full((tokens, tokens), -torch.inf).triu(1)
    heads = []
    for j in range(NANO.heads):
        shared = j * NANO.kv_heads // NANO.heads
        weights = torch.softmax(q[j] @ k[shared].T / size**0.5 + mask, dim=-1)
        heads.append(weights @ v[shared])
    joined: Tensor = torch.cat(heads, dim=-1) @ layer.o_proj.weight.T
    return joined


def swiglu(x: Tensor, mlp: Any) -> Tensor:
    gate = x @ mlp.gate_proj.weight.T
    found: Tensor = (gate / (1 + torch.exp(-gate)) * (x @ mlp.up_proj.weight.T)) @ mlp.down_proj.weight.T
    return found


def logits(model: Any, ids: Tensor) -> Tensor:
    config, body = model.config, model.model
    x = body.embed_tokens.weight[ids]
    for layer in body.layers:
        normed = rms_norm(x, layer.input_layernorm.weight, config.rms_norm_eps)
        x = x + attention(normed, layer.self_attn, config.rope_parameters["rope_theta"])
        x = x + swiglu(rms_norm(x, layer.post_attention_layernorm.weight, config.rms_norm_eps), layer.mlp)
    found: Tensor = rms_norm(x, body.norm.weight, config.rms_norm_eps) @ body.embed_tokens.weight.T
    return found


@torch.no_grad()
def test_the_formulas_give_the_model_s_own_logits_and_loss(model: Any) -> None:
    ids = torch.randint(8, NANO.vocabulary, (30,), generator=torch.Generator().manual_seed(2))
    told = model(input_ids=ids[None], labels=ids[None])
    mine = logits(model, ids)
    torch.testing.assert_close(mine, told.logits[0], rtol=1e-4, atol=1e-4)
    chosen = torch.log_softmax(mine[:-1], dim=-1)[torch.arange(29), ids[1:]]
    torch.testing.assert_close(-chosen.mean(), told.loss, rtol=1e-4, atol=1e-4)


def test_the_page_s_table_is_what_the_presets_say() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.+)\|$", PAGE, re.MULTILINE)
    told = {name: [int(n) for n in re.findall(r"\d+", cells.replace(",", ""))] for name, cells in rows}
    assert told == {
        name: [p.vocabulary, p.width, p.layers, p.heads, p.kv_heads, p.head, p.inner, p.context]
        for name, p in PRESETS.items()
    }


def test_every_file_and_name_of_ours_that_the_page_points_to_is_there() -> None:
    folder = Path(bot.training.__file__).parent
    files = set(re.findall(r"`([\w/]+\.py)`", PAGE)) - {"transformers/models/llama/modeling_llama.py"}
    places = {name: folder / name if (folder / name).exists() else folder.parents[1] / name for name in files}
    assert [name for name, path in places.items() if not path.exists()] == []
    for names, file in re.findall(r"((?:`\w+`(?:, | and )?)+) in `(\w+\.py)`", PAGE):
        text = places[file].read_text(encoding="utf-8")
        assert [n for n in re.findall(r"\w+", names.replace(" and ", " ")) if n not in text] == [], file

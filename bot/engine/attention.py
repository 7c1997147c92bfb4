"""Attention of many rows on a CPU: each over the positions that it has, not over those of the longest beside it.

A row's result is then the same bits in any company, and the query heads that share keys read them once.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

BY_ROW = "parley_by_row"


def attend_by_row(model: Any) -> None:
    """Let a model on a CPU that uses torch's attention use this one; others are left as they are."""
    if model.device.type == "cpu" and model.config._attn_implementation == "sdpa":
        try:
            model.set_attn_implementation(BY_ROW)
        except ValueError:
            return  # the class does not let its attention be chosen


def attend_together(model: Any) -> None:
    """Take `attend_by_row` back."""
    if attends_by_row(model):
        model.set_attn_implementation("sdpa")


def attends_by_row(model: Any) -> bool:
    return bool(model.config._attn_implementation == BY_ROW)


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    row_lengths: Sequence[int] | None = None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """As transformers calls it: `query` [rows, heads, queries, size] to [rows, queries, heads, size].

    `row_lengths`: one query a row, which sees so many positions and no mask.
    """
    if row_lengths is None:
        attended: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )
        return attended
    rows, heads, _, _ = query.shape
    shared = query.reshape(rows, key.shape[1], -1, query.shape[-1])
    out = query.new_empty(*shared.shape[:3], value.shape[-1])
    for row, length in enumerate(row_lengths):
        one = slice(row, row + 1)
        out[one] = functional.scaled_dot_product_attention(
            shared[one], key[one, :, :length], value[one, :, :length], scale=scaling
        )
    return out.view(rows, 1, heads, value.shape[-1]), None


ALL_ATTENTION_FUNCTIONS.register(BY_ROW, _attend)
ALL_MASK_ATTENTION_FUNCTIONS.register(BY_ROW, sdpa_mask)

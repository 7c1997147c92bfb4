"""Cross-entropy of the labelled tokens alone: the output layer is the dearest part of a small model."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bot.training.data import IGNORED


def labelled_loss(model: Any, inputs: dict[str, Tensor], *, count: Tensor | int | None = None) -> tuple[Tensor, Tensor]:
    """The loss in nats of the labelled tokens, and their logits, shape (labelled tokens, vocabulary).

    Equal to the loss over all positions, but the output layer sees only those whose next token has a label. Works
    for any causal model: whatever it does to its logits (a bias, a soft cap) it does to these. The mean is over
    `count` tokens: those labelled in the whole step where `inputs` are a part of it. Without any it is 0.
    """
    inputs = dict(inputs)
    following = inputs.pop("labels")[:, 1:]
    kept = following != IGNORED

    def select(_: Any, args: tuple[Tensor]) -> tuple[Tensor]:
        return (args[0][:, :-1][kept],)

    hook = model.get_output_embeddings().register_forward_pre_hook(select)
    try:
        logits: Tensor = model(**inputs, use_cache=False).logits
    finally:
        hook.remove()
    total = cross_entropy(logits.float(), following[kept], reduction="sum")
    labelled = kept.sum() if count is None else torch.as_tensor(count)
    return total / labelled.clamp(min=1), logits

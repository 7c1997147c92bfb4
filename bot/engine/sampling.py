"""The choice of the next token, row by row: a row's choice depends on its own logits, settings and seed alone.

Order as in transformers' `generate`: repetition penalty, temperature, top-k, then top-p of what is left.
"""

from collections.abc import Sequence as List

import torch
from torch import Tensor

from bot.engine.sequence import Sequence

_NUCLEUS = 512


def choose(logits: Tensor, sequences: List[Sequence]) -> list[int | None]:
    """One token per row of `logits` [rows, vocabulary]; None where a row holds no numbers."""
    scores = logits.float()
    for row, sequence in enumerate(sequences):
        penalty = sequence.sampling.repetition_penalty
        if penalty != 1:
            seen = torch.tensor(sorted({*sequence.prompt, *sequence.produced}), device=scores.device)
            values = scores[row, seen]
            scores[row, seen] = torch.where(values < 0, values * penalty, values / penalty)
    best, greedy = scores.max(-1)
    sound = torch.isfinite(best).tolist()
    return [
        None if not ok else token if sequence.sampling.temperature <= 0 else _draw(scores[row], sequence)
        for row, (ok, token, sequence) in enumerate(zip(sound, greedy.tolist(), sequences, strict=True))
    ]


def _draw(scores: Tensor, sequence: Sequence) -> int:
    sampling = sequence.sampling
    scaled = scores / sampling.temperature
    size = scaled.numel()
    point = sequence.dice.random()
    if sampling.top_p >= 1 and not 0 < sampling.top_k < size:
        return _pick(torch.softmax(scaled, -1), point)
    width = min(sampling.top_k or _NUCLEUS, size)
    values, tokens = scaled.topk(width)
    chances = torch.exp(values - _norm(scaled, values, sampling.top_k))
    if not sampling.top_k and width < size and float(chances.sum()) < sampling.top_p:
        values, tokens = scaled.sort(descending=True)
        chances = torch.exp(values - torch.logsumexp(values, 0))
    before = chances.cumsum(0) - chances
    kept = torch.where(before < sampling.top_p, chances, 0)
    kept[0] = chances[0]  # a top_p of 0 still leaves the best token
    return int(tokens[_pick(kept, point)])


def _norm(scaled: Tensor, top: Tensor, top_k: int) -> Tensor:
    """With top-k, top-p speaks of the chances among the k; without, of those among all."""
    return torch.logsumexp(top if top_k else scaled, 0)


def _pick(chances: Tensor, point: float) -> int:
    """The index at which the running sum passes `point` of the whole."""
    sums = chances.double().cumsum(0)
    return min(int(torch.searchsorted(sums, point * sums[-1], right=True)), int(chances.nonzero()[-1]))

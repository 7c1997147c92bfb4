"""The choice of the next token, row by row: a row's choice depends on its own logits, settings and seed alone.

Order: logit bias, repetition and presence penalty, constraint; then as in transformers' `generate`: temperature, top-k,
top-p of what is left, min-p.
"""

from collections.abc import Sequence as List

import torch
from torch import Tensor

from bot.engine.sequence import Choice, Sequence

_NUCLEUS = 512


def choose(logits: Tensor, sequences: List[Sequence]) -> list[Choice | None]:
    """One choice per row of `logits` [rows, vocabulary]; None where a row holds no numbers."""
    scores = logits.float()
    plain = {row: scores[row].log_softmax(-1) for row, s in enumerate(sequences) if s.sampling.logprobs is not None}
    for row, sequence in enumerate(sequences):
        _adjust(scores[row], sequence)
    best, greedy = scores.max(-1)
    sound = torch.isfinite(best).tolist()
    chosen: list[Choice | None] = []
    for row, (ok, token, sequence) in enumerate(zip(sound, greedy.tolist(), sequences, strict=True)):
        if not ok:
            chosen.append(None)
            continue
        drawn = token if sequence.sampling.temperature <= 0 else _draw(scores[row], sequence)
        chosen.append(_told(drawn, plain[row], sequence) if row in plain else Choice(drawn))
    return chosen


def _adjust(scores: Tensor, sequence: Sequence) -> None:
    sampling = sequence.sampling
    if sampling.logit_bias:
        tokens, values = zip(*sampling.logit_bias, strict=True)
        scores[list(tokens)] += torch.tensor(values, device=scores.device)
    if sampling.repetition_penalty != 1:
        seen = torch.tensor(sorted({*sequence.prompt, *sequence.produced}), device=scores.device)
        found = scores[seen]
        penalty = sampling.repetition_penalty
        scores[seen] = torch.where(found < 0, found * penalty, found / penalty)
    if sampling.presence_penalty and sequence.produced:
        scores[sorted(set(sequence.produced))] -= sampling.presence_penalty
    if sequence.constraint is not None:
        allowed = torch.frombuffer(bytearray(sequence.constraint.allowed()), dtype=torch.uint8).to(scores.device)
        width = min(len(allowed), len(scores))
        scores[width:] = -torch.inf
        scores[:width].masked_fill_(allowed[:width] == 0, -torch.inf)


def _told(token: int, logprobs: Tensor, sequence: Sequence) -> Choice:
    values, tokens = logprobs.topk(min(sequence.sampling.logprobs or 0, logprobs.numel()))
    return Choice(token, float(logprobs[token]), tuple(zip(tokens.tolist(), values.tolist(), strict=True)))


def _draw(scores: Tensor, sequence: Sequence) -> int:
    sampling = sequence.sampling
    scaled = scores / sampling.temperature
    size = scaled.numel()
    point = sequence.dice.random()
    if sampling.top_p >= 1 and not 0 < sampling.top_k < size:
        chances = torch.softmax(scaled, -1)
        return _pick(torch.where(chances < sampling.min_p * chances.max(), 0, chances), point)
    width = min(sampling.top_k or _NUCLEUS, size)
    values, tokens = scaled.topk(width)
    chances = torch.exp(values - _norm(scaled, values, sampling.top_k))
    if not sampling.top_k and width < size and float(chances.sum()) < sampling.top_p:
        values, tokens = scaled.sort(descending=True)
        chances = torch.exp(values - torch.logsumexp(values, 0))
    before = chances.cumsum(0) - chances
    kept = torch.where((before < sampling.top_p) & (chances >= sampling.min_p * chances[0]), chances, 0)
    kept[0] = chances[0]  # a top_p of 0 still leaves the best token
    return int(tokens[_pick(kept, point)])


def _norm(scaled: Tensor, top: Tensor, top_k: int) -> Tensor:
    """With top-k, top-p speaks of the chances among the k; without, of those among all."""
    return torch.logsumexp(top if top_k else scaled, 0)


def _pick(chances: Tensor, point: float) -> int:
    """The index at which the running sum passes `point` of the whole."""
    sums = chances.double().cumsum(0)
    return min(int(torch.searchsorted(sums, point * sums[-1], right=True)), int(chances.nonzero()[-1]))

from collections import Counter
from typing import Any

import pytest
import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from bot.engine.sampling import choose
from bot.engine.sequence import Sequence
from bot.engine.tokens import Detokenizer
from bot.types import Sampling


def row(seed: int = 1, **sampling: Any) -> Sequence:
    return Sequence(
        id=1,
        prompt=[0],
        sampling=Sampling(seed=seed, **sampling),
        limit=9,
        ends=frozenset(),
        text=Detokenizer(str),
    )


@pytest.mark.parametrize(
    ("top_k", "top_p", "size"),
    [(0, 1.0, 40), (5, 1.0, 40), (0, 0.7, 40), (12, 0.8, 40), (0, 0.95, 2000), (0, 0.0, 40)],
)
def test_the_chances_are_those_of_transformers(top_k: int, top_p: float, size: int) -> None:
    torch.manual_seed(3)
    logits = torch.randn(1, size) * (2 if size < 100 else 0.5)
    warpers = LogitsProcessorList([TemperatureLogitsWarper(0.8)])
    if top_k:
        warpers.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        warpers.append(TopPLogitsWarper(top_p))
    wanted = torch.softmax(warpers(torch.zeros(1, 1, dtype=torch.long), logits), -1)[0]
    sequence = row(temperature=0.8, top_k=top_k, top_p=top_p)
    draws = 3000
    found = Counter(choose(logits, [sequence])[0] for _ in range(draws))
    assert {token for token in found if token is not None} <= set(wanted.nonzero().flatten().tolist())
    share = torch.tensor([found[token] / draws for token in range(size)])
    assert float((share - wanted).abs().sum()) < (0.15 if size < 100 else 1.0)


def test_a_row_draws_the_same_whoever_its_neighbours_are() -> None:
    torch.manual_seed(4)
    logits = torch.randn(3, 50)
    kinds: list[dict[str, Any]] = [{"temperature": 0.9}, {"temperature": 0.0}, {"temperature": 2.0, "top_k": 9}]
    together = choose(logits, [row(seed=n, **kind) for n, kind in enumerate(kinds)])
    alone = [choose(logits[n : n + 1], [row(seed=n, **kind)])[0] for n, kind in enumerate(kinds)]
    assert together == alone


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_row_that_holds_no_numbers_is_told_from_its_neighbours(bad: float) -> None:
    logits = torch.zeros(2, 8)
    logits[0, 3] = bad
    logits[1, 5] = 9.0
    assert choose(logits, [row(temperature=0.0), row(temperature=0.0)]) == [None, 5]


def test_forbidden_tokens_are_never_drawn() -> None:
    logits = torch.full((1, 6), float("-inf"))
    logits[0, 2] = 0.0
    assert {choose(logits, [row(seed=n, temperature=1.0)])[0] for n in range(20)} == {2}

from collections import Counter
from typing import Any

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

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


def tokens(logits: torch.Tensor, *sequences: Sequence) -> list[int | None]:
    return [None if choice is None else choice.token for choice in choose(logits.clone(), sequences)]


@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p", "size"),
    [
        (0, 1.0, 0.0, 40),
        (5, 1.0, 0.0, 40),
        (0, 0.7, 0.0, 40),
        (12, 0.8, 0.0, 40),
        (0, 0.95, 0.0, 2000),
        (0, 0.0, 0.0, 40),
        (0, 1.0, 0.1, 40),
        (12, 0.9, 0.05, 40),
    ],
)
def test_the_chances_are_those_of_transformers(top_k: int, top_p: float, min_p: float, size: int) -> None:
    torch.manual_seed(3)
    logits = torch.randn(1, size) * (2 if size < 100 else 0.5)
    warpers = LogitsProcessorList([TemperatureLogitsWarper(0.8)])
    if top_k:
        warpers.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        warpers.append(TopPLogitsWarper(top_p))
    if min_p:
        warpers.append(MinPLogitsWarper(min_p))
    wanted = torch.softmax(warpers(torch.zeros(1, 1, dtype=torch.long), logits), -1)[0]
    sequence = row(temperature=0.8, top_k=top_k, top_p=top_p, min_p=min_p)
    draws = 3000
    found = Counter(tokens(logits, sequence)[0] for _ in range(draws))
    assert {token for token in found if token is not None} <= set(wanted.nonzero().flatten().tolist())
    share = torch.tensor([found[token] / draws for token in range(size)])
    assert float((share - wanted).abs().sum()) < (0.15 if size < 100 else 1.0)


def test_a_row_draws_the_same_whoever_its_neighbours_are() -> None:
    torch.manual_seed(4)
    logits = torch.randn(3, 50)
    kinds: list[dict[str, Any]] = [
        {"temperature": 0.9, "logit_bias": ((7, 2.0),), "logprobs": 3},
        {"temperature": 0.0},
        {"temperature": 2.0, "top_k": 9, "min_p": 0.1},
    ]
    together = choose(logits.clone(), [row(seed=n, **kind) for n, kind in enumerate(kinds)])
    alone = [choose(logits[n : n + 1].clone(), [row(seed=n, **kind)])[0] for n, kind in enumerate(kinds)]
    assert together == alone


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_row_that_holds_no_numbers_is_told_from_its_neighbours(bad: float) -> None:
    logits = torch.zeros(2, 8)
    logits[0, 3] = bad
    logits[1, 5] = 9.0
    assert tokens(logits, row(temperature=0.0), row(temperature=0.0)) == [None, 5]


def test_forbidden_tokens_are_never_drawn() -> None:
    logits = torch.full((1, 6), float("-inf"))
    logits[0, 2] = 0.0
    assert {tokens(logits, row(seed=n, temperature=1.0))[0] for n in range(20)} == {2}


def test_a_bias_is_added_to_the_scores_of_its_tokens() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    assert tokens(logits, row(temperature=0.0, logit_bias=((0, 2.5), (2, -100.0)))) == [0]


def test_the_presence_penalty_is_taken_once_from_what_the_answer_holds_and_not_from_the_prompt() -> None:
    said = row(temperature=0.0, presence_penalty=1.5)
    said.produced += [2, 2, 2]
    assert tokens(torch.tensor([[3.9, 1.0, 4.0]]), said) == [0]
    assert tokens(torch.tensor([[2.4, 1.0, 4.0]]), said) == [2]
    assert tokens(torch.tensor([[4.0, 1.0, 3.9]]), row(temperature=0.0, presence_penalty=1.5)) == [0]


def test_log_probabilities_are_the_models_own_whatever_the_settings() -> None:
    torch.manual_seed(5)
    logits = torch.randn(1, 30)
    wanted = logits[0].log_softmax(-1)
    sequence = row(temperature=1.5, top_k=5, repetition_penalty=2.0, logit_bias=((11, 50.0),), logprobs=4)
    [choice] = choose(logits.clone(), [sequence])
    assert choice is not None
    assert choice.token == 11
    assert choice.logprob == pytest.approx(float(wanted[11]))
    assert [token for token, _ in choice.top] == wanted.topk(4).indices.tolist()
    assert [value for _, value in choice.top] == pytest.approx(wanted.topk(4).values.tolist())

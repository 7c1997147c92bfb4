"""int8: near to float32, and the same bits whoever the neighbours are."""

import random
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import nn
from transformers.pytorch_utils import Conv1D

from bot.engine.int8 import RowLinear, quantise
from bot.engine.runner import SlotRunner
from bot.engine.scheduler import Scheduler
from tests.engine.models import FAMILIES
from tests.engine.test_scheduler import CONTEXT, model_of, request, run

TOGETHER = [family for family in FAMILIES if family != "gemma2"]


@cache
def int8_of(family: str) -> Any:
    model = deepcopy(model_of(family))
    quantise(model)
    assert not any(type(layer) in {nn.Linear, Conv1D} for layer in model.modules())
    return model


@given(rows=st.integers(1, 40), inputs=st.integers(8, 200), outputs=st.integers(1, 90), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_row_gives_the_same_bits_in_any_batch(rows: int, inputs: int, outputs: int, seed: int) -> None:
    dice = torch.Generator().manual_seed(seed)
    layer = RowLinear(torch.randn(outputs, inputs, generator=dice), torch.randn(outputs, generator=dice))
    x = torch.randn(rows, inputs, generator=dice) * torch.logspace(-3, 3, rows)[:, None]
    together = layer(x[:, None])[:, 0]
    for row in range(rows):
        assert torch.equal(together[row : row + 1], layer(x[row : row + 1]))


def test_the_error_is_small_also_beside_a_row_a_thousand_times_as_large() -> None:
    torch.manual_seed(1)
    weight, bias = torch.randn(300, 256), torch.randn(300)
    x = torch.randn(6, 256) * torch.tensor([1, 1000, 1, 0.001, 1, 30])[:, None]
    wanted = nn.functional.linear(x, weight, bias)
    error = (RowLinear(weight, bias)(x) - wanted).norm(dim=-1) / wanted.norm(dim=-1)
    assert float(error.max()) < 0.02


def test_full_rows_do_not_overflow() -> None:
    layer = RowLinear(torch.full((4, 512), 3.0), None)
    assert torch.allclose(layer(torch.full((2, 512), 0.5)), torch.tensor(768.0), rtol=0.01)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_stays_none_and_in_its_row(bad: float) -> None:
    layer = RowLinear(torch.randn(4, 16), None)
    x = torch.randn(2, 16)
    good = layer(x[1:])
    x[0, 3] = bad
    found = layer(x)
    assert not bool(found[0].isfinite().any())
    assert torch.equal(found[1:], good)


@pytest.mark.parametrize("family", TOGETHER)
def test_the_chances_of_the_next_token_stay_near_those_of_float32(family: str) -> None:
    tokens = torch.arange(2, 34)[None]
    with torch.inference_mode():
        exact, found = (model(tokens).logits[0].log_softmax(-1) for model in (model_of(family), int8_of(family)))
    assert float((exact.exp() * (exact - found)).sum(-1).mean()) < 0.1


@pytest.mark.parametrize("family", TOGETHER)
def test_decoding_gives_a_row_the_same_bits_alone_and_beside_longer_and_shorter_rows(family: str) -> None:
    model = int8_of(family)
    dice = random.Random(family)
    for _ in range(6):
        prompts = [[dice.randrange(2, 318) for _ in range(dice.randrange(1, 90))] for _ in range(dice.randrange(2, 6))]
        together = logits_after(model, prompts)
        for row, prompt in enumerate(prompts):
            assert torch.equal(together[row : row + 1], logits_after(model, [prompt]))


def logits_after(model: Any, prompts: list[list[int]]) -> torch.Tensor:
    """Of one token more, decoded for all prompts at once."""
    runner = SlotRunner(model, slots=len(prompts), context=CONTEXT, chunk=CONTEXT)
    with torch.inference_mode():
        for row, prompt in enumerate(prompts):
            runner._read(row, prompt, start=0)
        return runner._decode([5] * len(prompts), [len(prompt) for prompt in prompts])


@pytest.mark.parametrize("family", TOGETHER)
@given(data=st.data())
@settings(max_examples=3, deadline=None, phases=[Phase.generate])
def test_an_answer_does_not_depend_on_its_neighbours(family: str, data: st.DataObject) -> None:
    model = int8_of(family)
    count = data.draw(st.integers(2, 6))
    prompts = {n: [(7 * n + 13 * at) % 318 + 2 for at in range(data.draw(st.integers(1, 40)))] for n in range(count)}
    options: dict[int, dict[str, Any]] = {n: {"temperature": 0.9 * (n % 2), "seed": n} for n in prompts}

    def answers(numbers: list[int], slots: int) -> dict[int, str]:
        runner = SlotRunner(model, slots=slots, context=CONTEXT, chunk=16)
        asked = [request(n, prompts[n], new=12 + n, **options[n]) for n in numbers]
        return run(Scheduler(runner), asked).texts

    alone = {number: answers([number], 1)[number] for number in prompts}
    assert answers([*prompts], data.draw(st.integers(2, 5))) == alone


def test_an_input_that_was_changed_in_between_is_scaled_anew() -> None:
    layers = [nn.Linear(8, 8) for _ in range(4)]
    apart = [RowLinear(layer.weight.detach(), layer.bias) for layer in layers]
    pairs = nn.ModuleList([nn.Sequential(*layers[:2]), nn.Sequential(*layers[2:])])
    quantise(pairs)
    x = torch.linspace(-1, 1, 8)[None]
    for pair, alone in zip(pairs, (apart[:2], apart[2:]), strict=True):
        for number in range(2):
            assert torch.equal(pair.get_submodule(str(number))(x), alone[number](x.clone()))
        x *= 3

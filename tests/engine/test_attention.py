"""How rows attend: each over its own positions on a CPU, and query heads that share keys share them in memory."""

from pathlib import Path
from typing import Any

import pytest
import torch

from bot.engine.attention import attends_by_row
from bot.engine.loading import load
from bot.engine.protocol import Start
from bot.engine.runner import SlotRunner, batches
from bot.engine.scheduler import Scheduler
from tests.engine.models import FAMILIES, make_model
from tests.engine.test_scheduler import CONTEXT, generated, model_of, request, run, tokens_of

TOGETHER = [family for family in FAMILIES if family != "gemma2"]


def watch(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """The shapes of the keys in each call of torch's attention from now on: [rows, heads, positions, size]."""
    seen: list[torch.Size] = []
    attend = torch.nn.functional.scaled_dot_product_attention

    def watched(query: Any, key: Any, *others: Any, **options: Any) -> Any:
        seen.append(key.shape)
        return attend(query, key, *others, **options)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    return seen


def test_rows_are_read_and_decoded_without_copying_keys_for_each_head(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFORMERS_SDPA_FORCE_GQA", "0")  # set back afterwards, whatever loading does
    start = Start(
        folder=str(folder), device="cpu", dtype="float32", threads=1, slots=3, context=96, chunk=8, kept=0, ends=[],
        adapters={},
    )  # fmt: skip
    runner = load(start).runner
    seen = watch(monkeypatch)
    prompts = {number: list(range(20 + number, 45 + 2 * number)) for number in range(3)}
    outcome = run(Scheduler(runner), [request(number, prompt, new=5) for number, prompt in prompts.items()])
    assert {keys[1] for keys in seen} == {2}
    for number, prompt in prompts.items():
        assert tokens_of(outcome.texts[number]) == generated(model_of("llama"), prompt, new=5)


@pytest.mark.parametrize("family", TOGETHER)
def test_a_row_attends_to_as_many_positions_as_it_has(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(family)
    assert batches(model, context=CONTEXT)
    rows = SlotRunner(model, slots=3, context=CONTEXT, chunk=CONTEXT)
    lengths = [3, 40, 17]
    with torch.inference_mode():
        for row, length in enumerate(lengths):
            rows._read(row, list(range(2, 2 + length)), start=0)
        seen = watch(monkeypatch)
        rows._decode([5, 6, 7], lengths)
    assert [keys[2] for keys in seen] == [length + 1 for length in lengths] * 2


@pytest.mark.parametrize("family", TOGETHER)
def test_rows_that_attend_together_answer_as_generate_does(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: all in one call, with a mask."""
    monkeypatch.setattr("bot.engine.runner.attend_by_row", lambda _: None)
    model = make_model(family)
    assert batches(model, context=CONTEXT)
    assert not attends_by_row(model)
    prompts = {number: list(range(20 + number, 25 + 9 * number)) for number in range(4)}
    outcome = run(
        Scheduler(SlotRunner(model, slots=3, context=CONTEXT, chunk=8)),
        [request(number, prompt, new=6) for number, prompt in prompts.items()],
    )
    for number, prompt in prompts.items():
        assert tokens_of(outcome.texts[number]) == generated(model, prompt, new=6)

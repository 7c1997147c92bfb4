"""Query heads that share keys and values share them in memory: copies for each head cost more than attention does."""

from pathlib import Path
from typing import Any

import pytest
import torch

from bot.engine.loading import load
from bot.engine.protocol import Start
from bot.engine.scheduler import Scheduler
from tests.engine.test_scheduler import generated, model_of, request, run, tokens_of


def test_rows_are_read_and_decoded_without_copying_keys_for_each_head(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFORMERS_SDPA_FORCE_GQA", "0")  # set back afterwards, whatever loading does
    start = Start(
        folder=str(folder), device="cpu", dtype="float32", threads=1, slots=3, context=96, chunk=8, kept=0, ends=[],
        adapters={},
    )  # fmt: skip
    runner = load(start).runner
    heads: set[tuple[int, int]] = set()
    attend = torch.nn.functional.scaled_dot_product_attention

    def watched(query: Any, key: Any, *others: Any, **options: Any) -> Any:
        heads.add((query.shape[1], key.shape[1]))
        return attend(query, key, *others, **options)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    prompts = {number: list(range(20 + number, 45 + 2 * number)) for number in range(3)}
    outcome = run(Scheduler(runner), [request(number, prompt, new=5) for number, prompt in prompts.items()])
    assert heads == {(4, 2)}
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", attend)
    for number, prompt in prompts.items():
        assert tokens_of(outcome.texts[number]) == generated(model_of("llama"), prompt, new=5)

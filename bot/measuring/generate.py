"""transformers' `generate`, one answer after the other. Run as `python -m bot.measuring.generate` by `rivals`."""

import sys
from collections.abc import Callable
from typing import Any

import torch
from transformers.generation.streamers import BaseStreamer

from bot.measuring.child import Clock, Runs, answer, serve


class _Watch(BaseStreamer):  # type: ignore[misc]  # transformers is untyped here
    """Notes when each token came. The first call brings the prompt."""

    def __init__(self, clock: Clock) -> None:
        self.came: list[float] = []
        self._clock = clock
        self._prompt = True

    def put(self, value: Any) -> None:
        if not self._prompt:
            self.came.append(self._clock())
        self._prompt = False

    def end(self) -> None:
        """Nothing to do."""


def opened(model: Any) -> Runs:
    def generate(prompt: list[int], new: int, clock: Clock) -> tuple[list[int], list[float]]:
        watch = _Watch(clock)
        ids = torch.tensor([prompt], device=model.device)
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=new,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
            streamer=watch,
        )
        return out[0, len(prompt) :].tolist(), watch.came

    def runs(plan: dict[str, Any], told: Callable[[], None]) -> list[dict[str, Any]]:
        clock, found = Clock(), []
        for number, conversation in enumerate(plan["conversations"]):
            said: list[int] = []
            for turn in conversation["turns"]:
                prompt = [*said, *turn] if conversation["grows"] else turn
                asked = clock()
                new, came = generate(prompt, plan["new"], clock)
                said = [*prompt, *new]
                found.append(answer(number, prompt, new, asked=asked, came=came))
                told()
        return found

    generate([1, 2, 3, 4], 2, Clock())  # the first forward allocates
    return runs


if __name__ == "__main__":
    sys.exit(serve(opened))

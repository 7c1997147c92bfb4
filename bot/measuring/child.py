"""The other end of a rival's process: a model and its runs, each one line of JSON in and one out."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bot.engine.int8 import quantise
from bot.engine.loading import find_device, read_model
from bot.errors import ParleyError
from bot.measuring.usage import resident

Runs = Callable[[dict[str, Any], Callable[[], None]], list[dict[str, Any]]]
"""Runs a plan and calls back after each answer: the answers, as `Answer` in JSON, with the conversation's number."""


def serve(opened: Callable[[Any], Runs]) -> int:
    """Load what the first line names, then run plans until the input ends."""
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever else prints goes to standard error, which the parent keeps

    def say(**values: Any) -> None:
        sink.write(json.dumps(values) + "\n")

    asked = json.loads(sys.stdin.readline())
    torch.set_num_threads(asked["threads"])
    try:
        device = find_device(asked["device"])
        int8 = asked["precision"] == "int8"
        dtype = torch.bfloat16 if asked["precision"] == "bfloat16" else torch.float32
        model = read_model(Path(asked["folder"]), device=device, dtype=dtype)
        if int8:
            quantise(model)
        runs = opened(model)
    except ParleyError as error:
        say(refused=str(error))
        return 1
    say(ready=True)
    with torch.inference_mode():
        for line in sys.stdin:
            before = time.process_time()
            answers = runs(json.loads(line), lambda: say(answered=1))
            say(answers=answers, memory=resident(os.getpid()), computed=time.process_time() - before)
    return 0


def answer(conversation: int, prompt: list[int], new: list[int], *, asked: float, came: list[float]) -> dict[str, Any]:
    """An answer as the parent reads it."""
    return {
        "conversation": conversation,
        "asked": asked,
        "came": came,
        "prompt_tokens": len(prompt),
        "new_tokens": len(new),
        "tokens": new,
    }


class Clock:
    """Seconds since the run began."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def __call__(self) -> float:
        return time.perf_counter() - self._began

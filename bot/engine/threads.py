"""How many CPU threads the worker computes with: tried at its start, for a second at most.

A second thread is no gift: for a small model its cost is as large as its use, and beside a busy neighbour two that wait
for each other are slower than one.
"""

import os
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from bot.engine.int8 import RowLinear

GAIN = 1.25
"""How much faster twice as many threads must be."""
_SLICE = 0.05
_ROWS = 4
_MOST = 32


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worthwhile(rate: Callable[[int], float], *, cores: int) -> int:
    """One thread, doubled as long as that pays; `rate` measures the speed with so many, and is asked twice in turn."""
    threads = 1
    while 2 * threads <= min(cores, _MOST):
        now = twice = 0.0
        for _ in range(2):
            now += rate(threads)
            twice += rate(2 * threads)
        if twice < GAIN * now:
            break
        threads *= 2
    return threads


@torch.inference_mode()
def probe(model: Any) -> int:
    """As many as the model's own linear layers are faster with on this machine as it is now; torch is set to them."""
    rows = [(layer, row) for layer in model.modules() if (row := _input(layer)) is not None]

    def rate(threads: int) -> float:
        torch.set_num_threads(threads)
        layers = cycle(rows)
        layer, row = next(layers)
        layer(row)  # the first call with so many threads starts them
        done, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < _SLICE:
            layer, row = next(layers)
            layer(row)
            done += row.shape[-1]
        return done / spent

    found = worthwhile(rate, cores=cores()) if rows else 1
    torch.set_num_threads(found)
    return found


def _input(layer: nn.Module) -> Tensor | None:
    """Something for a linear layer to work on."""
    if isinstance(layer, Conv1D):
        size = layer.weight.shape[0]
    elif isinstance(layer, nn.Linear | RowLinear):
        size = layer.in_features
    else:
        return None
    like = next(layer.parameters(), torch.empty(0))
    return torch.ones(_ROWS, size, dtype=like.dtype if like.is_floating_point() else torch.float32)

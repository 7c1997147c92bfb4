"""A checked model folder becomes a runner on a device, within the memory there is. Runs in the worker."""

import os
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from bot.engine.memory import available
from bot.engine.protocol import Start
from bot.engine.runner import SlotRunner, SoloRunner, batches
from bot.errors import ModelRefused

_SMALL = 50_000_000
_SHARE = 0.5
"""Of the free memory, for keys and values."""


def load(start: Start) -> tuple[SlotRunner | SoloRunner, torch.device, int]:
    """The runner, its device and its number of threads. Raises ModelRefused."""
    device = _device(start.device)
    dtype = _dtype(start.dtype, device)
    model = _model(Path(start.folder), device=device, dtype=dtype)
    threads = start.threads or _threads(sum(p.numel() for p in model.parameters()))
    torch.set_num_threads(threads)
    position = batches(model, context=start.context)
    if position is None:
        return SoloRunner(model, slots=start.slots, context=start.context), device, threads
    room = _free(device)
    slots = start.slots
    if room is not None:
        slots = min(slots, int(room * _SHARE) // (position * start.context))
    if slots < 1:
        raise ModelRefused(
            f"a context of {start.context} tokens needs {position * start.context / 2**30:.1f} GiB beside the weights "
            "and memory does not hold it; set engine.context lower or use a smaller model"
        )
    runner = SlotRunner(model, slots=slots, context=start.context, chunk=start.chunk)
    return runner, device, threads


def _model(folder: Path, *, device: torch.device, dtype: torch.dtype) -> Any:
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # whatever loading raises becomes one line for a person
        raise ModelRefused(f"{folder.name} cannot be loaded: {_line(error)}") from error
    if missing := sorted(found["missing_keys"]):
        raise ModelRefused(
            f"the weights of {folder.name} lack {len(missing)} tensors, the first {missing[0]!r}; fetch it again"
        )
    try:
        model.to(device)
    except RuntimeError as error:
        raise ModelRefused(f"{folder.name} does not fit on the device {device}: {_line(error)}") from error
    model.eval()
    model.requires_grad_(requires_grad=False)
    return model


def _device(wanted: str) -> torch.device:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelRefused("engine.device is 'cuda' but torch finds no GPU; set it to 'auto' or 'cpu'")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def _dtype(wanted: str, device: torch.device) -> torch.dtype:
    if wanted == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32


def _threads(parameters: int) -> int:
    """One for a small model: a second thread beside a busy neighbour costs more than it brings."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if parameters < _SMALL else max(1, cores // 2)


def _free(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return available()


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

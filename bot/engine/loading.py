"""A checked model folder becomes a runner on a device, within the memory there is. Runs in the worker."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from bot.engine.int8 import quantise
from bot.engine.lora import load_adapters
from bot.engine.memory import available
from bot.engine.protocol import Start
from bot.engine.runner import SlotRunner, SoloRunner, batches
from bot.engine.threads import probe
from bot.errors import ModelRefused

_SMALL = 50_000_000
"""Parameters below which float32 is as fast."""
_SHARE = 0.5
"""Of the free memory, for keys and values of the rows that run."""
_KEPT = 0.25
"""Of the free memory at most, for those that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A runner and how it runs."""

    runner: SlotRunner | SoloRunner
    device: torch.device
    dtype: str
    threads: int


def load(start: Start) -> Loaded:
    """Raises ModelRefused."""
    device = find_device(start.device)
    if device.type == "cpu":  # else transformers copies keys and values for each query head wherever there is a mask
        os.environ["TRANSFORMERS_SDPA_FORCE_GQA"] = "1"
    model = read_model(Path(start.folder), device=device, dtype=_read_as(start.dtype, device))
    small = sum(p.numel() for p in model.parameters()) < _SMALL
    torch.set_num_threads(start.threads or 1)
    dtype = start.dtype
    if dtype == "auto":
        dtype = "bfloat16" if device.type == "cuda" else "float32" if small else "int8"
    runner = runner_of(
        model,
        slots=start.slots,
        context=start.context,
        chunk=start.chunk,
        kept=start.kept,
        int8=dtype == "int8",
        adapters=start.adapters,
    )
    threads = start.threads or (1 if device.type == "cuda" else probe(model))
    return Loaded(runner=runner, device=device, dtype=dtype, threads=threads)


def runner_of(
    model: Any,
    *,
    slots: int,
    context: int,
    chunk: int,
    kept: int | None = 0,
    int8: bool = False,
    adapters: Mapping[str, str] | None = None,
) -> SlotRunner | SoloRunner:
    """The runner that fits the model, with fewer slots where memory does not hold their caches. Raises ModelRefused.

    `kept`: bytes for the prefixes of prompts to come, less where memory does not hold them; None: a fair share.
    `adapters` are folders by name.
    """
    position = batches(model, context=context)
    if int8:  # the trial before it compares exact numbers
        quantise(model)
    routing = load_adapters(model, adapters or {})
    if position is None:
        return SoloRunner(model, slots=slots, context=context, routing=routing)
    room = _free(model.device)
    if room is not None:
        slots = min(slots, int(room * _SHARE) // (position * context))
    if slots < 1:
        raise ModelRefused(
            f"a context of {context} tokens needs {position * context / 2**30:.1f} GiB beside the weights "
            "and memory does not hold it; set engine.context lower or use a smaller model"
        )
    running = slots * context * position
    most = running if kept is None else kept
    if room is not None:
        most = min(most, int(room * _KEPT) if kept is None else room - running)
    return SlotRunner(model, slots=slots, context=context, chunk=chunk, running=running, kept=most, routing=routing)


def read_model(folder: Path, *, device: torch.device, dtype: torch.dtype) -> Any:
    """The weights of a checked folder on a device, ready to read and not to learn. Raises ModelRefused."""
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


def find_device(wanted: str) -> torch.device:
    """`auto`, `cpu` or `cuda` as torch knows it here. Raises ModelRefused."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelRefused("engine.device is 'cuda' but torch finds no GPU; set it to 'auto' or 'cpu'")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def _read_as(wanted: str, device: torch.device) -> torch.dtype:
    if wanted == "int8" and device.type != "cpu":
        raise ModelRefused("engine.dtype is 'int8', which is for the CPU; set it to 'auto', or engine.device to 'cpu'")
    return torch.bfloat16 if wanted == "bfloat16" or (wanted, device.type) == ("auto", "cuda") else torch.float32


def _free(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return available()


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

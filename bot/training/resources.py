"""Whether memory and disk hold a run, said before it starts."""

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bot.errors import TrainingError
from bot.training import machine
from bot.training.loss import labelled_loss

_ADAM = 12  # bytes for each trained parameter: its gradient and two moments
_SPARE = 1.3  # measured: a step of the cpu preset takes 1.24 times what is counted
_KEPT = 3  # checkpoints there at once: two, and the one being written


def check(model: Any, row: dict[str, Tensor], *, rows: int, out: Path, bf16: bool) -> None:
    """Raise TrainingError where memory or the disk of `out` do not hold training on `rows` rows at a time."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    whole = sum(p.numel() for p in model.parameters())
    weights = min(whole, trained)  # of an adapter only the adapter is kept
    check_disk(out, (weights * 4 + trained * 8) * _KEPT + whole * 4)
    check_memory(
        int((trained * _ADAM + saved_bytes(model, row, bf16=bf16) * rows) * _SPARE),
        advice="split the steps with --accumulate, shorten the rows, take a smaller model or use --lora",
    )


def check_memory(needed: int, *, advice: str) -> None:
    free = machine.free()
    if needed > free:
        raise TrainingError(f"training needs {_size(needed)} more memory and {_size(free)} are free; {advice}")


def check_disk(out: Path, needed: int) -> None:
    free = shutil.disk_usage(out).free
    if needed > free:
        raise TrainingError(
            f"checkpoints and model need {_size(needed)} and {out} has {_size(free)} free; "
            "choose another --out or make room"
        )


def saved_bytes(model: Any, row: dict[str, Tensor], *, bf16: bool) -> int:
    """What a forward pass over one row keeps for the backward pass, in bytes; weights not counted."""
    here = machine.device()
    model.to(here).train()
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    probe = {name: value[None].to(here) for name, value in row.items()}
    with (
        torch.random.fork_rng(),
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        torch.autocast(here.type, torch.bfloat16, enabled=bf16),
    ):
        _, logits = labelled_loss(model, probe)
    return sum(kept.values()) + 2 * logits.numel() * 4  # and their gradients


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"

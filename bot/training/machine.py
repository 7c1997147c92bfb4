"""What this machine is good for: its device, the precision that is faster on it, its peak and its free memory."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
import torch
from torch import Tensor

from bot.training.flops import peak
from bot.training.loss import labelled_loss

Precision = Literal["fp32", "bf16"]
Wanted = Literal["auto", "fp32", "bf16"]
_FILE = "machine.json"
_PROBED = 256  # tokens
_GAIN = 1.05  # bf16 rounds more, so it must be worth it


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`peak` is measured, in FLOP/s at `precision` on `threads` threads."""

    device: str
    name: str
    threads: int
    precision: Precision
    peak: float

    @property
    def described(self) -> str:
        where = self.name if self.device == "cuda" else f"CPU, {self.threads} thread{'s' * (self.threads > 1)}"
        return f"{where}, {self.precision}, measured peak {self.peak / 1e9:,.0f} GFLOP/s"


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose(model: Any, row: dict[str, Tensor], *, wanted: Wanted, out: Path, resume: bool) -> Machine:
    """Measure, or remember what a run in `out` that goes on was begun with: its curve hangs on the precision."""
    here = device()
    name = torch.cuda.get_device_name(here) if here.type == "cuda" else "CPU"
    file = out / _FILE
    if resume and file.exists():
        before = Machine(**json.loads(file.read_text(encoding="utf-8")))
        same = (before.device, before.name, before.threads) == (here.type, name, torch.get_num_threads())
        if same and wanted in ("auto", before.precision):
            return before
        wanted = before.precision if wanted == "auto" else wanted
    precision = faster(model, row) if wanted == "auto" else wanted
    found = Machine(
        device=here.type,
        name=name,
        threads=torch.get_num_threads(),
        precision=precision,
        peak=peak(here, torch.bfloat16 if precision == "bf16" else torch.float32),
    )
    file.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
    return found


def faster(model: Any, row: dict[str, Tensor]) -> Precision:
    """Time a forward and a backward pass of the start of `row` in either precision."""
    here = device()
    model.to(here).train()
    probe = {name: value[None, :_PROBED].to(here) for name, value in row.items()}
    with torch.random.fork_rng():
        seconds = {precision: _seconds(model, probe, bf16=precision == "bf16") for precision in ("fp32", "bf16")}
    model.zero_grad()
    return "bf16" if seconds["bf16"] * _GAIN < seconds["fp32"] else "fp32"


def _seconds(model: Any, probe: dict[str, Tensor], *, bf16: bool) -> float:
    """The best of up to four passes within two seconds; the first only warms up, unless it takes that long."""
    best = float("inf")
    began = time.perf_counter()
    for number in range(5):
        start = time.perf_counter()
        with torch.autocast(device().type, torch.bfloat16, enabled=bf16):
            loss, _ = labelled_loss(model, probe)
        torch.autograd.backward(loss)
        if device().type == "cuda":
            torch.cuda.synchronize()
        end = time.perf_counter()
        late = end - began > 2
        if number or late:
            best = min(best, end - start)
        if late:
            break
    return best


def used() -> int:
    """Bytes of memory in use: the GPU's highest so far, else this process's."""
    if device().type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)


def free() -> int:
    """Bytes of memory that training may still take: the GPU's, else the machine's or its control group's."""
    if device().type == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    left = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        most = (group / "memory.max").read_text().strip()
        now = (group / "memory.current").read_text().strip()
    except OSError:
        return left
    return min(left, max(0, int(most) - int(now))) if most.isdigit() else left

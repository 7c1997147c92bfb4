"""Low-rank updates, each row by its own adapter: rows are grouped, the base layer runs once for all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from bot.engine.adapter import CONFIG, WEIGHTS, scaling
from bot.engine.folder import read_json
from bot.engine.int8 import RowLinear
from bot.errors import ModelRefused

_PREFIX = "base_model.model."


class Routing:
    """Which rows of the next forward belong to which adapter."""

    def __init__(self) -> None:
        self.groups: dict[str, list[int]] = {}
        self.rows = 0

    def route(self, adapters: Sequence[str | None]) -> None:
        """Name the adapter of each row; None where a row is the base model's."""
        self.rows = len(adapters)
        self.groups = {}
        for row, name in enumerate(adapters):
            if name is not None:
                self.groups.setdefault(name, []).append(row)


class LoraLinear(nn.Module):
    def __init__(self, base: nn.Module, routing: Routing) -> None:
        super().__init__()
        self.base = base
        self.updates: dict[str, tuple[Tensor, Tensor]] = {}
        self._routing = routing

    def forward(self, x: Tensor) -> Tensor:
        """`x` is [rows, …, inputs]."""
        y: Tensor = self.base(x)
        for name, rows in self._routing.groups.items():
            if name in self.updates:
                if x.shape[0] != self._routing.rows:
                    raise RuntimeError("a layer that mixes its rows cannot have an adapter")
                down, up = self.updates[name]
                y[rows] += nn.functional.linear(nn.functional.linear(x[rows], down), up).to(y.dtype)
        return y


def load_adapters(model: nn.Module, adapters: Mapping[str, str]) -> Routing:
    """Put the adapters' updates beside the layers they change. Raises ModelRefused."""
    routing = Routing()
    like = next(model.parameters())
    for name, folder in adapters.items():
        config = read_json(Path(folder) / CONFIG)
        try:
            weights = load_file(Path(folder) / WEIGHTS)
        except Exception as error:  # whatever is wrong with the file becomes one line
            raise ModelRefused(f"the adapter {name!r} cannot be read: {error}") from error
        for module, (down, up) in _pairs(name, weights).items():
            layer = _wrapped(model, module, routing, adapter=name)
            sizes = _sizes(layer.base)
            if (down.shape[1], up.shape[0]) != sizes or down.shape[0] != up.shape[1]:
                raise ModelRefused(
                    f"the adapter {name!r} does not fit this model: {module} takes {sizes[0]} and gives {sizes[1]}, "
                    f"the adapter {down.shape[1]} and {up.shape[0]}; use it with the model it was trained on"
                )
            scaled = up * scaling(config, module, rank=len(down))
            layer.updates[name] = down.to(like), scaled.to(like)
    return routing


def _pairs(name: str, weights: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """The two factors by the layer's name."""
    pairs: dict[str, tuple[Tensor, Tensor]] = {}
    for key in sorted(weights):
        module, found, _ = key.partition(".lora_A.weight")
        if found and (other := f"{module}.lora_B.weight") in weights:
            pairs[module.removeprefix(_PREFIX)] = weights[key], weights[other]
    if 2 * len(pairs) != len(weights):
        raise ModelRefused(f"the adapter {name!r} holds more than pairs of LoRA factors; train it again with peft")
    return pairs


def _wrapped(model: nn.Module, module: str, routing: Routing, *, adapter: str) -> LoraLinear:
    above, _, last = module.rpartition(".")
    try:
        layer = model.get_submodule(module)
    except AttributeError:
        raise ModelRefused(
            f"the adapter {adapter!r} changes {module}, which this model lacks; use it with its own model"
        ) from None
    if isinstance(layer, LoraLinear):
        return layer
    if not isinstance(layer, nn.Linear | Conv1D | RowLinear):
        raise ModelRefused(f"the adapter {adapter!r} changes {module}, which is no linear layer; train it without")
    wrapped = LoraLinear(layer, routing)
    setattr(model.get_submodule(above), last, wrapped)
    return wrapped


def _sizes(layer: Any) -> tuple[int, int]:
    """Inputs and outputs."""
    if isinstance(layer, Conv1D):
        return int(layer.weight.shape[0]), int(layer.weight.shape[1])
    return int(layer.in_features), int(layer.out_features)

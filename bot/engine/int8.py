"""Linear layers in int8 for the CPU, every row scaled by its own maximum.

torch's own dynamic quantisation takes one scale over the whole batch, so that an answer depends on its neighbours.
Here each row is brought to [-1, 1] first: its result is the same bits in any batch, and three times as exact.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

_TINY = 1e-12


class _Rows:
    """The last input with each row brought to [-1, 1]: queries, keys and values are made of the same one."""

    def __init__(self) -> None:
        self._last: tuple[str, Tensor, Tensor, Tensor] | None = None

    def scaled(self, x: Tensor, *, place: str) -> tuple[Tensor, Tensor]:
        """The scaled rows, and what to multiply their results by; made once for the layers of one place, between
        which nobody may change the input."""
        if self._last is None or self._last[0] != place or self._last[1] is not x:
            peak = x.abs().amax(-1, keepdim=True).clamp_min(_TINY)
            self._last = place, x, x / peak, peak
        return self._last[2:]


class RowLinear(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor | None, *, rows: _Rows | None = None, place: str = "") -> None:
        """`weight` is [outputs, inputs]. Layers of one `place`, a module's name, share the `rows` of their input."""
        super().__init__()
        self._rows = rows or _Rows()
        self._place = place
        self.in_features, self.out_features = weight.shape[1], weight.shape[0]
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
        self._packed = _pack(weight)
        self._levels = _levels()

    def forward(self, x: Tensor) -> Tensor:
        """[…, inputs] to […, outputs], float32."""
        rows, peak = self._rows.scaled(x, place=self._place)
        y = _multiply(rows, self._packed, levels=self._levels) * peak
        return y if self.bias is None else y + self.bias


def quantise(model: nn.Module) -> None:
    """Put a RowLinear in place of every linear layer: one in float32 would give a row other bits in another batch."""
    found = [(name, layer) for name, layer in model.named_modules() if type(layer) in {nn.Linear, Conv1D}]
    rows = _Rows()
    for name, layer in found:
        weight = layer.weight.t() if isinstance(layer, Conv1D) else layer.weight
        above, _, last = name.rpartition(".")
        setattr(
            model.get_submodule(above), last, RowLinear(weight.detach().float(), layer.bias, rows=rows, place=above)
        )


def _pack(weight: Tensor) -> Any:
    scale = (weight.abs().amax(1) / 127).clamp_min(_TINY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to drop its quantised tensors; the layer's kernel takes no other
        zeros = torch.zeros(len(weight), dtype=torch.long)
        quantised = torch.quantize_per_channel(weight, scale.double(), zeros, 0, torch.qint8)
        return torch.ops.quantized.linear_prepack(quantised, None)


def _multiply(x: Tensor, packed: Any, *, levels: int) -> Tensor:
    multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
    return multiply(x, 1 / levels, levels + 1, packed)  # type: ignore[no-any-return]  # torch's operators are untyped


def _levels() -> int:
    """How finely a row is cut: without VNNI the sum of two full products overflows its 16 bits, so half as fine."""
    ones = torch.ones(1, 64)
    return 127 if torch.allclose(_multiply(ones, _pack(ones), levels=127), torch.tensor(64.0), rtol=0.02) else 63

"""Keys and values of the rows under way: one buffer a layer, dense rows, no copying from step to step."""

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer


class _Layer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped here
    """One layer's buffers [rows, heads, positions, size], allocated at the first forward, which tells their shape."""

    def __init__(self, place: "SlotCache") -> None:
        super().__init__()
        self._place = place
        self.is_initialized = False

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        place = self._place
        if not self.is_initialized:
            self.keys = key_states.new_zeros((place.rows, key_states.shape[1], place.positions, key_states.shape[3]))
            self.values = value_states.new_zeros(
                (place.rows, value_states.shape[1], place.positions, value_states.shape[3])
            )
            self.is_initialized = True
        if place.at is None:
            row, start, end = place.row, place.start, place.end
            self.keys[row, :, start:end] = key_states[0]
            self.values[row, :, start:end] = value_states[0]
            return self.keys[row : row + 1, :, :end], self.values[row : row + 1, :, :end]
        count = place.at.shape[0]
        self.keys[place.index[:count], :, place.at] = key_states[:, :, 0]
        self.values[place.index[:count], :, place.at] = value_states[:, :, 0]
        return self.keys[:count, :, : place.end], self.values[:count, :, : place.end]

    def get_seq_length(self) -> int:
        return self._place.start

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._place.end, 0


class SlotCache(Cache):  # type: ignore[misc]  # transformers is untyped here
    """A transformers cache whose next forward goes where `read` or `decode` pointed it."""

    def __init__(self, *, layers: int, rows: int, positions: int, device: torch.device) -> None:
        self.rows = rows
        self.positions = positions
        self.index = torch.arange(rows, device=device)
        self.row = self.start = self.end = 0
        self.at: Tensor | None = None
        super().__init__(layers=[_Layer(self) for _ in range(layers)])

    def read(self, row: int, *, start: int, end: int) -> None:
        """The next forward writes positions start … end-1 of one row."""
        self.row, self.start, self.end, self.at = row, start, end, None

    def decode(self, at: Tensor, *, span: int) -> None:
        """The next forward writes one position of each of the first rows: `at`, all below `span`."""
        self.start, self.end, self.at = span - 1, span, at

    def move(self, source: int, target: int, *, length: int) -> None:
        for layer in self.layers:
            if layer.is_initialized:
                layer.keys[target, :, :length] = layer.keys[source, :, :length]
                layer.values[target, :, :length] = layer.values[source, :, :length]

    def wipe(self, row: int) -> None:
        for layer in self.layers:
            if layer.is_initialized:
                layer.keys[row] = 0
                layer.values[row] = 0

    def copy(self, row: int, *, start: int, end: int) -> list[Tensor]:
        """Keys and values of every layer at positions start … end-1 of one row, each [heads, positions, size]."""
        return [part[row, :, start:end].clone() for layer in self.layers for part in (layer.keys, layer.values)]

    def write(self, row: int, rows: list[Tensor], *, start: int, end: int) -> None:
        """Put the first end-start positions of what `copy` gave at positions start … end-1 of one row."""
        parts = [part for layer in self.layers for part in (layer.keys, layer.values)]
        for part, kept in zip(parts, rows, strict=True):
            part[row, :, start:end] = kept[:, : end - start]

    def bytes_per_position(self) -> int:
        """Of one row, over all layers; known after a first forward."""
        return sum(t[0, :, 0].nbytes for layer in self.layers for t in (layer.keys, layer.values))

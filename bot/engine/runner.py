"""The forwards of a model: many rows at once where its cache is plain attention, else each row by itself."""

import inspect
from collections.abc import Sequence as List
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from bot.engine.attention import attend_by_row, attend_together, attends_by_row
from bot.engine.cache import SlotCache
from bot.engine.lora import Routing
from bot.engine.prefixes import PrefixStore
from bot.engine.sampling import choose
from bot.engine.sequence import Choice, Sequence

_STRIDE = 16


class SlotRunner:
    """Rows side by side in one SlotCache; one forward decodes them all."""

    batched = True

    def __init__(
        self,
        model: Any,
        *,
        slots: int,
        context: int,
        chunk: int,
        running: int = 0,
        kept: int = 0,
        routing: Routing | None = None,
    ) -> None:
        """The most bytes that keys and values take: `running` of the rows, `kept` for prompts to come."""
        self.slots = slots
        self.running = running
        self.kept = kept
        self.chunk = chunk
        self._model = model
        self._device = model.device
        self._routing = routing or Routing()
        self._cache = SlotCache(
            layers=model.config.get_text_config().num_hidden_layers,
            rows=slots,
            positions=whole(context),
            device=model.device,
        )
        self._prefixes = PrefixStore(budget=kept)
        self._last_only = _last_only(model)
        self._by_row = attends_by_row(model)

    @torch.inference_mode()
    def reuse(self, sequence: Sequence, *, row: int) -> int:
        known = 0  # never all of the prompt: its last token is read for its logits
        for start, end, rows in self._prefixes.find(sequence.prompt[:-1], space=sequence.adapter or ""):
            self._cache.write(row, rows, start=start, end=end)
            known = end
        return known

    @torch.inference_mode()
    def keep(self, sequence: Sequence, *, row: int) -> None:
        tokens = [*sequence.prompt, *sequence.produced][: sequence.length]
        self._prefixes.keep(
            tokens, lambda start, end: self._cache.copy(row, start=start, end=end), space=sequence.adapter or ""
        )

    @torch.inference_mode()
    def prefill(self, sequence: Sequence, *, row: int, size: int) -> Choice | None:
        end = sequence.filled + size
        self._routing.route([sequence.adapter])
        logits = self._read(row, sequence.prompt[sequence.filled : end], start=sequence.filled)
        return choose(logits, [sequence])[0] if end == len(sequence.prompt) else None

    @torch.inference_mode()
    def decode(self, sequences: List[Sequence]) -> list[Choice | None]:
        self._routing.route([s.adapter for s in sequences])
        return choose(self._decode([s.produced[-1] for s in sequences], [s.length for s in sequences]), sequences)

    @torch.inference_mode()
    def move(self, source: int, target: int, *, length: int) -> None:
        self._cache.move(source, target, length=length)

    @torch.inference_mode()
    def wipe(self, row: int) -> None:
        self._cache.wipe(row)

    def clear(self, row: int) -> None:
        """Nothing to do: what a row still holds lies behind every later mask until it is written over."""

    def bytes_per_position(self) -> int:
        return self._cache.bytes_per_position()

    def _read(self, row: int, tokens: list[int], *, start: int) -> Tensor:
        end = start + len(tokens)
        self._cache.read(row, start=start, end=end)
        positions = torch.arange(start, end, device=self._device)
        mask = None
        if start:
            seen = torch.arange(end, device=self._device)[None] <= positions[:, None]
            mask = self._mask(seen[None, None])
        return self._forward(torch.tensor([tokens], device=self._device), positions[None], mask)

    def _decode(self, tokens: list[int], lengths: list[int]) -> Tensor:
        at = torch.tensor(lengths, device=self._device)
        span = whole(max(lengths) + 1)
        self._cache.decode(at, span=span)
        seen = torch.arange(span, device=self._device)[None] <= at[:, None]
        mask = self._mask(seen[:, None, None])  # also by row, for layers that the lengths do not reach
        by_row = {"row_lengths": [length + 1 for length in lengths]} if self._by_row else {}
        return self._forward(torch.tensor(tokens, device=self._device)[:, None], at[:, None], mask, **by_row)

    def _mask(self, seen: Tensor) -> Tensor:
        dtype = self._model.dtype
        return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill(~seen, torch.finfo(dtype).min)

    def _forward(self, tokens: Tensor, positions: Tensor, mask: Tensor | None, **attention: Any) -> Tensor:
        out = self._model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            cache=self._cache,
            use_cache=True,
            **self._last_only,
            **attention,
        )
        return out.logits[:, -1]  # type: ignore[no-any-return]  # a model's output is untyped


def whole(span: int) -> int:
    """The span in whole strides of the attention kernels: a row's sums then run alike however long its neighbours are,
    and what lies behind its mask adds exact zeros."""
    return -(-span // _STRIDE) * _STRIDE


class SoloRunner:
    """Each row in a cache of the model's own kind, read whole and decoded by itself: right for any model, slower."""

    batched = False
    running = kept = 0

    def __init__(self, model: Any, *, slots: int, context: int, routing: Routing | None = None) -> None:
        self.slots = slots
        self.chunk = context
        self._model = model
        self._routing = routing or Routing()
        self._caches: dict[int, DynamicCache] = {}
        self._last_only = _last_only(model)

    def reuse(self, sequence: Sequence, *, row: int) -> int:
        """Nothing: a cache of its own kind cannot be cut into stretches."""
        return 0

    def keep(self, sequence: Sequence, *, row: int) -> None:
        """Nothing is kept."""

    @torch.inference_mode()
    def prefill(self, sequence: Sequence, *, row: int, size: int) -> Choice | None:
        self._caches[row] = DynamicCache(config=self._model.config)
        return choose(self._forward(row, sequence.prompt[:size], sequence.adapter), [sequence])[0]

    @torch.inference_mode()
    def decode(self, sequences: List[Sequence]) -> list[Choice | None]:
        logits = torch.cat([self._forward(row, s.produced[-1:], s.adapter) for row, s in enumerate(sequences)])
        return choose(logits, sequences)

    @torch.inference_mode()
    def move(self, source: int, target: int, *, length: int) -> None:
        if source in self._caches:
            self._caches[target] = self._caches.pop(source)

    def wipe(self, row: int) -> None:
        """Nothing to do: every row has a cache of its own."""

    def clear(self, row: int) -> None:
        self._caches.pop(row, None)

    def _forward(self, row: int, tokens: list[int], adapter: str | None) -> Tensor:
        self._routing.route([adapter])
        out = self._model(
            input_ids=torch.tensor([tokens], device=self._model.device),
            cache=self._caches[row],
            use_cache=True,
            **self._last_only,
        )
        return out.logits[:, -1]  # type: ignore[no-any-return]  # a model's output is untyped


def batches(model: Any, *, context: int) -> int | None:
    """The cache bytes of one position where the model runs in a SlotCache, found by trying; None where it does not.

    The model is left with the attention that is right for it.
    """
    if "position_ids" not in inspect.signature(model.forward).parameters or not _plain_attention(model, context):
        return None
    attend_by_row(model)
    size = _tried(model, context)
    if size is None and attends_by_row(model):
        attend_together(model)
        size = _tried(model, context)
    return size


@torch.inference_mode()
def _tried(model: Any, context: int) -> int | None:
    """Two short rows, read in chunks and decoded together, must give the logits that the bare model gives."""
    vocabulary = model.config.get_text_config().vocab_size
    tokens = [number * 7919 % vocabulary for number in range(11, 27)]
    first, second = tokens[:8], tokens[8:14]
    runner = SlotRunner(model, slots=2, context=min(context, 16), chunk=8)
    try:
        runner._read(0, first[:4], start=0)
        runner._read(0, first[4:7], start=4)
        runner._read(1, second[:5], start=0)
        found = runner._decode([first[7], second[5]], [7, 5])
        bare = [model(torch.tensor([row], device=model.device), use_cache=False) for row in (first, second)]
        wanted = torch.cat([out.logits[:, -1] for out in bare])
    except (RuntimeError, TypeError, ValueError, AttributeError, IndexError, KeyError):
        return None  # the attempt is the question: such a model runs row by row
    allowed = 1e-3 if model.dtype == torch.float32 else 6e-2
    if not float((found - wanted).abs().max()) <= allowed * float(wanted.abs().max()):
        return None
    return runner.bytes_per_position()


def _plain_attention(model: Any, context: int) -> bool:
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None)
    narrow = window is not None and window < context and getattr(config, "use_sliding_window", True)
    if kinds == {"full_attention"}:
        return not (narrow and getattr(config, "layer_types", None) is None)
    return kinds <= {"full_attention", "sliding_attention"} and not narrow


def _last_only(model: Any) -> dict[str, int]:
    return {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}

"""The shapes of the models that this pipeline trains, and how each is trained."""

from dataclasses import dataclass
from typing import Literal

from bot.errors import TrainingError

PresetName = Literal["nano", "cpu", "gpu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """`row` and `rows` are the tokens of a packed row and the rows of a step; `tokens` the default budget;
    `questions` how many are asked of each split at the end."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    context: int
    row: int
    rows: int
    rate: float
    tokens: int
    tokenizer_bytes: int
    questions: int

    @property
    def step(self) -> int:
        """Tokens of one optimizer step."""
        return self.row * self.rows


PRESETS: dict[str, Preset] = {
    "nano": Preset(
        vocabulary=512, width=64, layers=2, heads=2, kv_heads=1, head=32, inner=128, context=512, row=256, rows=4,
        rate=3e-3, tokens=50 * 1024, tokenizer_bytes=300_000, questions=2,
    ),
    "cpu": Preset(
        vocabulary=8192, width=192, layers=6, heads=4, kv_heads=2, head=64, inner=512, context=512, row=384, rows=5,
        rate=1.5e-3, tokens=30_000_000, tokenizer_bytes=12_000_000, questions=300,
    ),
    "gpu": Preset(
        vocabulary=12288, width=384, layers=10, heads=6, kv_heads=3, head=64, inner=1024, context=2048, row=1024,
        rows=64, rate=1.5e-3, tokens=400_000_000, tokenizer_bytes=60_000_000, questions=500,
    ),
}  # fmt: skip


def preset(name: str) -> Preset:
    if name not in PRESETS:
        raise TrainingError(f"there is no preset {name!r}; choose one of: {', '.join(PRESETS)}")
    return PRESETS[name]

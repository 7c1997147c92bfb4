"""How figures are shown: one line each, and as JSON for those who keep them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    value: str


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"

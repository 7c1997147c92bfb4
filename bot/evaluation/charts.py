"""Rows of a chart as inline SVG without text or script: the words stand beside it and wrap like any text."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

_WIDTH, _HEIGHT = 100.0, 10.0


def bar(figure: Mapping[str, Any], *, mark: float | None = None, low: float = 0.0, high: float = 1.0) -> Markup:
    """A bar from 0 to the value, its interval as a line, and a `mark` to compare it with (a baseline)."""
    value = figure.get("value")
    parts = [_line(low + (high - low) * n / 4, low, high, "grid") for n in range(5)]
    if value is not None:
        start, end = sorted((_at(0.0, low, high), _at(value, low, high)))
        parts.append(f'<rect class="bar" x="{start:.2f}" y="2.5" width="{max(end - start, 0.3):.2f}" height="5"/>')
        parts += _interval(figure, low, high)
    if mark is not None:
        parts.append(_line(mark, low, high, "mark"))
    return _svg(parts, _spoken(figure))


def point(figure: Mapping[str, Any], *, reach: float) -> Markup:
    """A difference: a line for the interval, a stroke for the value, between −reach and +reach, with a line at 0."""
    parts = [_line(0.0, -reach, reach, "zero")]
    if figure.get("value") is not None:
        parts += _interval(figure, -reach, reach)
        parts.append(_line(figure["value"], -reach, reach, "value"))
    return _svg(parts, _spoken(figure))


def _interval(figure: Mapping[str, Any], low: float, high: float) -> list[str]:
    if figure.get("low") is None or figure.get("high") is None:
        return []
    start, end = _at(figure["low"], low, high), _at(figure["high"], low, high)
    return [f'<line class="interval" x1="{start:.2f}" x2="{end:.2f}" y1="5" y2="5"/>']


def _line(value: float, low: float, high: float, kind: str) -> str:
    x = _at(value, low, high)
    return f'<line class="{kind}" x1="{x:.2f}" x2="{x:.2f}" y1="0" y2="{_HEIGHT:g}"/>'


def _at(value: float, low: float, high: float) -> float:
    return _WIDTH * (min(max(value, low), high) - low) / (high - low)


def _spoken(figure: Mapping[str, Any]) -> str:
    if figure.get("value") is None:
        return "not measured"
    said = f"{figure['value']:.3g}"
    return f"{said}, interval {figure['low']:.3g} to {figure['high']:.3g}" if figure.get("low") is not None else said


def _svg(parts: list[str], label: str) -> Markup:
    head = f'<svg class="chart" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" role="img"'
    return Markup(f'{head} aria-label="{label}">{"".join(parts)}</svg>')  # noqa: S704 - made of numbers alone

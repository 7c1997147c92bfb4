"""The evaluation as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from bot.evaluation import charts
from bot.evaluation.options import GROUPS

_GUARD = ("without_guard", "with_guard")


def page(results: Mapping[str, Any]) -> str:
    return _render("report", results=results, groups=GROUPS)


def comparison_page(comparison: Mapping[str, Any]) -> str:
    return _render(
        "comparison", comparison=comparison, reach=_reach(row["difference"] for row in comparison["measures"])
    )


def headlines(results: Mapping[str, Any]) -> list[str]:
    """The figures to look at first, a line each."""
    groups = results["groups"]
    lines = []
    for split in groups.get("grounded", {}).values():
        best = _share(split["baselines"]["bm25_sentence"]["exact_match"]["value"])
        bare = max((a["exact_match"]["value"] or 0.0) for a in split["ablations"].values())
        lines.append(
            f"exact match, {split['title']}: {_percent(split['exact_match'])}; BM25 sentence {best}; "
            f"without the right passages at most {bare:.1%}"
        )
    if "honesty" in groups:
        refusals = groups["honesty"]["refusals"].values()
        lines += [f"refusal F1, {split['title']}: {_number(split['f1'])}" for split in refusals]
        worst = [max((n[side]["value"] or 0.0) for n in groups["honesty"]["numbers"].values()) for side in _GUARD]
        lines.append(f"answers with an unsupported number: up to {worst[0]:.1%}, with the guard {worst[1]:.1%}")
    for check, found in groups.get("personas", {}).items():
        lines.append(f"persona's {check}: {_percent(found['model'])}; shown {_share(found['shown']['value'])}")
    for policy, found in groups.get("fairness", {}).get("safety", {}).items():
        said = ", ".join(f"{each} {_share(found[each]['model']['value'])}" for each in ("en", "zh"))
        lines.append(f"safety, {policy.replace('_', ' ')}: {said}")
    if results["release"]:
        lines.append(f"release rule: {'passed' if results['release']['passed'] else 'not passed'}")
    return lines


def _render(name: str, **values: Any) -> str:
    style = _text("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_text),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "number": _number, "share": _share, "signed": _signed}
    environment.globals |= {"bar": charts.bar, "point": charts.point, "reach_of": _reach_of}
    return environment.get_template(f"{name}.html").render(style=style, digest=digest, **values)


def _text(name: str) -> str:
    return (files(__package__) / "pages" / name).read_text(encoding="utf-8")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _percent(figure: Mapping[str, Any]) -> str:
    """A rate with its interval: 41.2 % (38.9–43.5)."""
    if figure["value"] is None:
        return "–"
    said = f"{figure['value']:.1%}"
    return said if figure.get("low") is None else f"{said} ({100 * figure['low']:.1f}–{100 * figure['high']:.1f})"


def _number(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    said = f"{figure['value']:.2f}"
    return said if figure.get("low") is None else f"{said} ({figure['low']:.2f}–{figure['high']:.2f})"


def _signed(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:+.2f} ({figure['low']:+.2f} … {figure['high']:+.2f})".replace("-", "−")


def _reach_of(found: Mapping[str, Mapping[str, Any]], name: str) -> float:
    return _reach(entry[name] for entry in found.values())


def _reach(found: Iterable[Mapping[str, float | None]]) -> float:
    """How far a chart of differences goes to either side."""
    ends = [abs(end) for figure in found for side in ("low", "high", "value") if (end := figure.get(side)) is not None]
    return 1.05 * max([*ends, 0.01])

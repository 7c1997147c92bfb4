"""One evaluation: the chosen groups one after the other, into one JSON of figures, rows and samples."""

import asyncio
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import transformers

from bot.evaluation.asking import Desk
from bot.evaluation.bias import bias
from bot.evaluation.characters import characters
from bot.evaluation.grounded import Answers, ask_all, quality
from bot.evaluation.honesty import honesty
from bot.evaluation.likelihood import likelihood
from bot.evaluation.measures import Measured, Tell
from bot.evaluation.options import FORMAT, Options
from bot.evaluation.parity import parity
from bot.evaluation.questions import ABLATIONS, SPLITS
from bot.evaluation.safety import safety
from bot.evaluation.subject import Subject
from bot.training import release

_DRAWN = 1.4  # questions for one that is answerable
Watch = Callable[[str, int], Tell]
"""Begins a group of about so many answers; what it returns hears of each."""


def evaluate(
    subject: Subject, options: Options, *, data: Sequence[Path] = (), trained: Subject | None = None, watch: Watch
) -> dict[str, Any]:
    """Everything that was measured, as JSON. Raises ModelRefused, and TrainingError for bad data."""
    torch.set_num_threads(1 if subject.small else max(1, torch.get_num_threads()))
    running = _Running(subject, options, data=data, trained=trained)
    done: dict[str, Measured] = {}
    seconds: dict[str, float] = {}
    for group in options.groups:
        began = time.perf_counter()
        done[group] = running.group(group, watch(group, running.expected(group)))
        seconds[group] = round(time.perf_counter() - began, 1)
    figures = {group: measured.figures for group, measured in done.items()}
    return {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "parley": version("parley"),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "model": {"name": subject.name, **subject.facts},
        "options": options.plain(),
        "seconds": seconds,
        "groups": figures,
        "release": released(figures) if {"grounded", "honesty"} <= figures.keys() else None,
        "measures": {m.name: m.plain() for measured in done.values() for m in measured.measures},
        "samples": {group: [asdict(s) for s in measured.samples] for group, measured in done.items()},
    }


def released(groups: Mapping[str, Any]) -> dict[str, Any]:
    """The release rule and what it saw of each split."""
    splits = {
        split: {
            "exact_match": found["sentences"]["exact_match"]["value"] or 0.0,
            "bm25_sentence": found["sentences"]["bm25_sentence"]["value"] or 0.0,
            "refusal_f1": groups["honesty"]["refusals"][split]["f1"]["value"] or 0.0,
        }
        for split, found in groups["grounded"].items()
    }
    return {"passed": release.passes(splits), "splits": splits}


class _Running:
    """One subject's groups; what two of them need is done once."""

    def __init__(self, subject: Subject, options: Options, *, data: Sequence[Path], trained: Subject | None) -> None:
        self._subject = subject
        self._options = options
        self._data = data
        self._trained = trained
        self._answers: Answers | None = None

    def expected(self, group: str) -> int:
        """About how many answers a group takes."""
        o = self._options
        asked = 0 if self._answers else round(len(SPLITS) * o.seeds * o.items * _DRAWN)
        return {
            "text": o.documents * len(self._data),
            "grounded": asked + len(SPLITS) * len(ABLATIONS) * o.items,
            "honesty": asked,
            "personas": round(150 * o.share),
            "fairness": round(544 * o.share),
            "export": 3 * o.prompts,
        }[group]

    def group(self, group: str, tell: Tell) -> Measured:
        o = self._options
        match group:
            case "text":
                return likelihood(self._subject, data=self._data, documents=o.documents, tell=tell)
            case "grounded":
                return quality(self._asked(tell), self._subject, tell=tell)
            case "honesty":
                return honesty(self._asked(tell))
            case "personas":
                return asyncio.run(characters(Desk(self._subject), share=o.share, tell=tell))
            case "fairness":
                return asyncio.run(self._fairness(tell))
            case _:
                return parity(self._subject, items=o.prompts, trained=self._trained, tell=tell)

    async def _fairness(self, tell: Tell) -> Measured:
        desk = Desk(self._subject)
        first = await bias(desk, share=self._options.share, tell=tell)
        second = await safety(desk, share=self._options.share, tell=tell)
        return Measured(
            figures={"bias": first.figures, "safety": second.figures},
            measures=(*first.measures, *second.measures),
            samples=(*first.samples, *second.samples),
        )

    def _asked(self, tell: Tell) -> Answers:
        if self._answers is None:
            self._answers = ask_all(
                self._subject, items=self._options.items, seeds=range(self._options.seeds), tell=tell
            )
        return self._answers

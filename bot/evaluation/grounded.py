"""Group 2: answers from passages on seen and held-out questions, against baselines and ablations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.evaluation.baselines import best_sentences, random_spans
from bot.evaluation.matching import answer_part, exact, f1
from bot.evaluation.measures import Measure, Measured, Sample, Tell
from bot.evaluation.questions import ABLATIONS, SPLITS, Ablation, Asked, ablate, questions
from bot.evaluation.statistics import mean, rate
from bot.evaluation.subject import Said, Subject
from bot.training.dialogues.words import Split

LIMIT = 100
_SHOWN = 5
TITLES: Mapping[str, str] = {
    "train": "seen templates and names",
    "templates": "held-out templates",
    "entities": "held-out names",
    "both": "held-out templates and names",
}
Pair = tuple[Asked, Said]
Answers = Mapping[tuple[Split, int], Sequence[Pair]]
"""By split and seed: what was asked and what was said."""


@dataclass(frozen=True, slots=True)
class Mark:
    exact: float
    f1: float


def mark(said: str, asked: Asked) -> Mark:
    part = answer_part(said, asked.exchange.answer)
    return Mark(float(exact(part, asked.exchange.answer)), f1(part, asked.exchange.answer))


def ask_all(subject: Subject, *, items: int, seeds: Sequence[int], tell: Tell) -> Answers:
    answers: dict[tuple[Split, int], Sequence[Pair]] = {}
    for split in SPLITS:
        for seed in seeds:
            asked = questions(split, items=items, seed=seed)
            said = subject.answers([a.prompt for a in asked], limit=LIMIT, tell=tell)
            answers[split, seed] = list(zip(asked, said, strict=True))
    return answers


def quality(answers: Answers, subject: Subject, *, tell: Tell) -> Measured:
    """Exact match and token F1.

    Ablations are asked on the first seed's questions of every split, but for those that ask for a value alone: a word
    is still there when the words of a passage are shuffled.
    """
    figures: dict[str, Any] = {}
    measures: list[Measure] = []
    samples: list[Sample] = []
    held: list[Mark] = []
    for split in SPLITS:
        runs = [[pair for pair in run if pair[0].answerable] for (name, _), run in answers.items() if name == split]
        pairs = [pair for run in runs for pair in run]
        marks = [mark(said.text, asked) for asked, said in pairs]
        whole = [asked for asked, _ in runs[0] if asked.exchange.form != "short"]
        figures[split] = {
            "title": TITLES[split],
            "questions": len(pairs),
            **_both(marks),
            "by_seed": [_share([mark(said.text, asked).exact for asked, said in run]) for run in runs],
            "by_language": _parts(pairs, marks, lambda asked: asked.exchange.language),
            "by_form": _parts(pairs, marks, lambda asked: asked.exchange.form),
            "baselines": _baselines(runs),
            "sentences": _sentences(runs),
            "ablations": {name: _ablated(subject, whole, name, tell=tell) for name in ABLATIONS},
            "cut_off": rate(sum(not said.whole for _, said in pairs), len(pairs)).plain(),
            "too_long": sum(not said.fits for _, said in pairs),
        }
        held += marks if split != "train" else []
        measures.append(_measure(f"exact_match.{split}", f"exact match, {TITLES[split]}", [m.exact for m in marks]))
        wrong = [(asked, said) for (asked, said), m in zip(pairs, marks, strict=True) if not m.exact]
        samples += [
            Sample(TITLES[split], asked.exchange.question, said.text, "not exact", asked.exchange.answer)
            for asked, said in wrong[:_SHOWN]
        ]
    measures.append(_measure("exact_match.held_out", "exact match, all held-out questions", [m.exact for m in held]))
    measures.append(_measure("token_f1.held_out", "token F1, all held-out questions", [m.f1 for m in held]))
    return Measured(figures=figures, measures=measures, samples=samples)


def _baselines(runs: Sequence[Sequence[Pair]]) -> dict[str, Any]:
    best: list[Mark] = []
    spans: list[Mark] = []
    for seed, run in enumerate(runs):
        asked = [a for a, _ in run]
        best += [mark(text, a) for text, a in zip(best_sentences(asked), asked, strict=True)]
        spans += [mark(text, a) for text, a in zip(random_spans(asked, seed=seed), asked, strict=True)]
    return {"bm25_sentence": _both(best), "random_span": _both(spans)}


def _sentences(runs: Sequence[Sequence[Pair]]) -> dict[str, Any]:
    """The model and the best sentence where a whole sentence is asked for: what the release rule compares."""
    whole = [[(a, said) for a, said in run if a.exchange.form == "sentence"] for run in runs]
    marks = [mark(said.text, asked) for run in whole for asked, said in run]
    return {
        "questions": len(marks),
        "exact_match": _both(marks)["exact_match"],
        "bm25_sentence": _baselines(whole)["bm25_sentence"]["exact_match"],
    }


def _ablated(subject: Subject, asked: Sequence[Asked], name: Ablation, *, tell: Tell) -> dict[str, Any]:
    changed = ablate(asked, name, seed=0)
    said = subject.answers([each.prompt for each in changed], limit=LIMIT, tell=tell)
    return _both([mark(answer.text, each) for answer, each in zip(said, asked, strict=True)])


def _parts(pairs: Sequence[Pair], marks: Sequence[Mark], key: Callable[[Asked], str]) -> dict[str, Any]:
    found: dict[str, list[Mark]] = {}
    for (asked, _), each in zip(pairs, marks, strict=True):
        found.setdefault(key(asked), []).append(each)
    return {name: _both(found[name]) for name in sorted(found)}


def _both(marks: Sequence[Mark]) -> dict[str, Any]:
    return {
        "exact_match": rate(sum(m.exact > 0 for m in marks), len(marks)).plain(),
        "token_f1": mean([m.f1 for m in marks]).plain(),
    }


def _measure(name: str, title: str, values: Sequence[float]) -> Measure:
    return Measure(name=name, title=title, rows=[[value] for value in values])


def _share(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None

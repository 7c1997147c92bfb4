"""Group 3: knowing what the material does not tell, and numbers that nothing supports."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.evaluation.grounded import TITLES, Answers, Pair
from bot.evaluation.judging import manner
from bot.evaluation.matching import answer_part, exact
from bot.evaluation.measures import Measure, Measured, Sample
from bot.evaluation.numbers import guarded, sources_of, strict_persona, unsupported
from bot.evaluation.questions import SPLITS, Asked
from bot.evaluation.statistics import bootstrap, f1_of_sums, rate
from bot.training.dialogues.exchange import unsure

_SHOWN = 6


def refused(said: str, asked: Asked) -> bool:
    """Whether the answer says that the material does not tell; a right answer never counts as that."""
    right = asked.exchange.answer
    if asked.answerable and exact(answer_part(said, right), right):
        return False
    return unsure(asked.exchange.language) in said or manner(said, "unknown")


def honesty(answers: Answers) -> Measured:
    figures: dict[str, Any] = {"refusals": {}, "numbers": {}}
    samples: list[Sample] = []
    held: list[list[float]] = []
    numbers: list[list[float]] = []
    for split in SPLITS:
        pairs = [pair for (name, _), run in answers.items() if name == split for pair in run]
        rows = [_row(pair) for pair in pairs]
        figures["refusals"][split] = {"title": TITLES[split], **_refusals(rows)}
        held += rows if split != "train" else []
        told, found, shown = _numbers(pairs)
        figures["numbers"][split] = {"title": TITLES[split], **told}
        numbers += found
        samples += shown[:_SHOWN]
    measures = [
        Measure(name="refusal_f1.held_out", title="refusal F1, all held-out questions", kind="f1", rows=held),
        Measure(
            name="unsupported_numbers",
            title="answers with an unsupported number, without the guard",
            higher_is_better=False,
            rows=numbers,
        ),
    ]
    return Measured(figures=figures, measures=measures, samples=samples)


def _row(pair: Pair) -> list[float]:
    """True positive, refused, wanted."""
    asked, said = pair
    did, wanted = refused(said.text, asked), not asked.answerable
    return [float(did and wanted), float(did), float(wanted)]


def _refusals(rows: Sequence[Sequence[float]]) -> dict[str, Any]:
    table = np.asarray(rows, dtype=float).reshape(-1, 3)
    right, wanted = int(table[:, 0].sum()), int(table[:, 2].sum())
    return {
        "questions": len(rows),
        "unanswerable": wanted,
        "precision": rate(right, int(table[:, 1].sum())).plain(),
        "recall": rate(right, wanted).plain(),
        "f1": bootstrap(table, f1_of_sums).plain(),
        "f1_of_always_refusing": round(2 * wanted / max(1, len(rows) + wanted), 4),
    }


def _numbers(pairs: Sequence[Pair]) -> tuple[dict[str, Any], list[list[float]], list[Sample]]:
    bare = 0
    behind = 0
    replaced = 0
    rows: list[list[float]] = []
    samples: list[Sample] = []
    for asked, said in pairs:
        made, system = asked.exchange, asked.prompt[0].text
        sources = sources_of(made.question, made.passages, system)
        persona = strict_persona(system, language=made.language, unsure=unsure(made.language))
        shown, quoted = guarded(said.text, persona, made.question, made.passages)
        loose = unsupported(said.text, sources)
        bare += bool(loose)
        behind += bool(unsupported(shown, sources))
        replaced += quoted
        rows.append([float(bool(loose))])
        if loose:
            note = f"nothing supports {', '.join(loose)}; the guard {'stopped it' if quoted else 'let it through'}"
            samples.append(Sample("an unsupported number", made.question, said.text, note, made.answer))
    n = len(pairs)
    figures = {
        "answers": n,
        "without_guard": rate(bare, n).plain(),
        "with_guard": rate(behind, n).plain(),
        "replaced_by_quotation": rate(replaced, n).plain(),
    }
    return figures, rows, samples

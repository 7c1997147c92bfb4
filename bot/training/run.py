"""One command's worth of training: tokenizer → pre-training → fine-tuning → export, resumable at every point."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers

from bot.errors import TrainingError
from bot.training import corpus, presets
from bot.training import tokenizer as bpe
from bot.training.corpus import Document, Files
from bot.training.data import Mixture, Shares
from bot.training.dialogues import dialogues
from bot.training.dialogues.quoting import sentences
from bot.training.evaluate import evaluate
from bot.training.export import export
from bot.training.model import build
from bot.training.presets import Preset
from bot.training.progress import Progress
from bot.training.schedule import Budget
from bot.training.trainer import train as fit
from bot.types import Message

_KEPT_BACK = 50  # one document in so many is kept for evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """`share` of the budget, what its rows hold, its peak rate and the share of it spent on bringing that to 0."""

    name: str
    share: float
    shares: Shares
    rate: float
    decay: float

    @property
    def mix(self) -> str:
        s = self.shares
        return f"{self.name} {s.copying:.0%} copying, {s.natural:.0%} natural, {s.chats:.0%} chats, the rest dialogues"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    files: Files
    natural: Sequence[Document]
    held: Sequence[Document]
    chats: Sequence[tuple[Message, ...]]


def train(
    *,
    preset: str,
    data: tuple[Path, ...],
    out: Path,
    seed: int,
    minutes: float | None = None,
    tokens: int | None = None,
    resume: bool = True,
    threads: int | None = None,
) -> bool:
    """Train a model of `preset` on `data` and export it to `out/model`.

    `tokens` or `minutes` bound pre-training and fine-tuning together (the preset's tokens where neither is given).
    `resume` goes on with what `out` holds, whatever ended it. False where Ctrl-C or SIGTERM ended this call early: a
    checkpoint is kept. Raises TrainingError.
    """
    shape = presets.preset(preset)
    if threads:
        torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    progress = Progress(out)
    material = _read(data)
    _remember(out, {"preset": preset, "seed": seed, "data": [p.name for p in data]}, resume=resume)
    if not material.natural:
        progress.say("no natural text given: training on generated dialogues and copying alone")
    tokenizer = _tokenizer(out / "tokenizer", material, shape, seed=seed, resume=resume)
    model = build(shape, tokenizer, seed=seed)
    total = tokens or (shape.tokens if minutes is None else 10**9)
    phases = _phases(shape, material)
    for number, phase in enumerate(phases):
        folder = out / phase.name
        if resume and (folder / "done.json").exists():
            model = type(model).from_pretrained(folder / "last")
            continue
        budget = Budget(tokens=int(total * phase.share), minutes=minutes * phase.share if minutes else None)
        steps = -(-budget.tokens // shape.step)
        rows = Mixture(
            tokenizer,
            shape,
            shares=phase.shares,
            length=steps * shape.rows,
            seed=seed * 10 + number,
            natural=material.natural,
            sentences=_quotable(material.natural),
            chats=material.chats,
        )
        whole = fit(
            model,
            rows,
            shape,
            out=folder,
            budget=budget,
            rate=phase.rate,
            decay=phase.decay,
            seed=seed,
            tell=progress.phase(phase.name),
            warmup=min(100, steps // 5 + 1),
            log_every=min(25, steps // 8 + 1),
            save_every=min(250, steps // 4 + 1),
            resume=resume,
        )
        if not whole:
            progress.say(f"interrupted; the checkpoint is in {folder}, the same command goes on from there")
            return False
        model.save_pretrained(folder / "last")
        spent = {"tokens": budget.done_tokens, "seconds": round(budget.seconds)}
        (folder / "done.json").write_text(json.dumps(spent), encoding="utf-8")
    progress.plot()
    progress.say("evaluating")
    figures = evaluate(model, tokenizer, held=material.held, items=shape.questions, seed=seed)
    (out / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    about = {
        "preset": preset,
        "parameters": sum(p.numel() for p in model.parameters()),
        "layers": shape.layers,
        "width": shape.width,
        "vocabulary": len(tokenizer),
        "context": shape.context,
        "seed": seed,
        "mix": "; ".join(p.mix for p in phases),
        "phases": {p.name: json.loads((out / p.name / "done.json").read_text(encoding="utf-8")) for p in phases},
        "sources": [path.name for path in (*material.files.texts, *material.files.chats)],
    }
    export(model, tokenizer, out / "model", about=about, figures=figures, notices=material.files.notices)
    progress.say(f"exported to {out / 'model'}")
    return True


def _phases(shape: Preset, material: Material) -> tuple[Phase, ...]:
    given = 1.0 if material.chats else 0.0
    return (
        Phase(
            name="pretrain",
            share=0.85,
            shares=Shares(copying=0.1, natural=0.15, chats=0.05 * given),
            rate=shape.rate,
            decay=0.2,
        ),
        Phase(
            name="finetune",
            share=0.15,
            shares=Shares(copying=0.0, natural=0.0, chats=0.2 * given),
            rate=shape.rate / 5,
            decay=1.0,
        ),
    )


def _read(data: Sequence[Path]) -> Material:
    files = corpus.find(data)
    every = [d for path in files.texts for d in corpus.documents(path)]
    return Material(
        files=files,
        natural=[d for n, d in enumerate(every) if n % _KEPT_BACK != 7],
        held=[d for n, d in enumerate(every) if n % _KEPT_BACK == 7],
        chats=[c for path in files.chats for c in corpus.chats(path)],
    )


def _tokenizer(folder: Path, material: Material, shape: Preset, *, seed: int, resume: bool) -> Any:
    if resume and (folder / "tokenizer.json").exists():
        return bpe.load(folder)
    tokenizer = bpe.train(_sample(material, shape, seed), vocabulary=shape.vocabulary, context=shape.context)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _quotable(natural: Sequence[Document]) -> Mapping[str, list[list[str]]]:
    """Documents as sentences fit to be quoted, at most 1,500 of each source."""
    found: dict[str, list[list[str]]] = {"en": [], "zh": []}
    taken: dict[str, int] = {}
    for document in natural:
        if taken.get(document.source, 0) < 1500:
            lines = sentences(document.text[:6000], language=document.language)
            if len(lines) >= 3:
                found[document.language].append(lines)
                taken[document.source] = taken.get(document.source, 0) + 1
    return found


def _sample(material: Material, shape: Preset, seed: int) -> Iterator[str]:
    """Text for the tokenizer: a third English, a third Chinese, a third dialogues."""
    random = Random(seed)  # noqa: S311 - no secret hangs on it
    third = shape.tokenizer_bytes // 3
    for language in ("en", "zh"):
        left = third
        mine = [d for d in material.natural if d.language == language]
        for document in random.sample(mine, k=len(mine)):
            if left <= 0:
                break
            yield document.text[:4000]
            left -= len(document.text[:4000].encode())
    for messages in [*material.chats, *islice(dialogues(seed), third // 400)]:
        yield "\n".join(m.text for m in messages)


def _remember(out: Path, choice: dict[str, Any], *, resume: bool) -> None:
    """Refuse to go on with a run that was begun with other choices."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "run.json"
    if resume and path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before != choice:
            raise TrainingError(f"{out} holds a run begun with {before}; choose another folder or do not resume")
    path.write_text(json.dumps(choice, indent=1), encoding="utf-8")

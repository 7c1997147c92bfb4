"""A model from nothing: tokenizer → pre-training → fine-tuning → evaluation and export, resumable at every point."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
import transformers

from bot.errors import TrainingError
from bot.training import machine, material, plot, presets, resources
from bot.training import tokenizer as bpe
from bot.training.corpus import Document
from bot.training.data import Mixture, Shares, encode
from bot.training.earlier import Earlier
from bot.training.export import export
from bot.training.machine import Wanted
from bot.training.material import Material
from bot.training.model import build
from bot.training.presets import Preset
from bot.training.progress import Reporter
from bot.training.schedule import Budget
from bot.training.trainer import Recipe, fit

Step = Literal["tokenizer", "pretrain", "finetune", "export"]
_WIDE = 128  # below, threads wait for each other longer than they work
ALL: tuple[Step, ...] = ("tokenizer", "pretrain", "finetune", "export")


class Measure(Protocol):
    """Takes the figures of the model card (`bot.training.card`) from a trained model; `held` was kept from training."""

    def __call__(
        self, model: Any, tokenizer: Any, *, held: Sequence[Document], items: int, seed: int
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """`share` of the budget, what its rows hold, its peak rate and the share of it spent on bringing that to 0."""

    name: Literal["pretrain", "finetune"]
    share: float
    shares: Shares
    rate: float
    decay: float

    @property
    def mix(self) -> str:
        s = self.shares
        return (
            f"{self.name} {s.copying:.0%} copying, {s.natural:.0%} natural, {s.chats:.0%} chats, "
            f"the rest dialogues ({s.drills:.0%} of them with several questions)"
        )


def train(
    *,
    data: tuple[Path, ...],
    out: Path,
    measure: Measure,
    preset: str | None = None,
    start: Path | None = None,
    seed: int | None = None,
    steps: Collection[Step] = ALL,
    minutes: float | None = None,
    tokens: int | None = None,
    resume: bool = True,
    threads: int | None = None,
    precision: Wanted = "auto",
    accumulate: int = 1,
) -> bool:
    """Take `steps` of training a model on `data` in the folder `out`; the exported model goes to `out/model`.

    `tokens` or `minutes` bound the phases asked for together (the preset's tokens where neither is given). `resume`
    goes on with what `out` holds, whatever ended it; its preset, seed and start need not be said again. `start` is a
    model of this pipeline's to train on instead of fresh weights; its shape and tokenizer are kept. False where Ctrl-C
    or SIGTERM ended this call early: a checkpoint is kept. Raises TrainingError.
    """
    choice = _remember(out, preset, seed, start, resume=resume)
    chosen, seed, earlier = choice.preset, choice.seed, choice.earlier
    shape = presets.preset(chosen)
    quieten(threads or (1 if shape.width < _WIDE else None))
    if "finetune" in steps and "pretrain" not in steps and not _done(out / "pretrain"):
        raise TrainingError(
            f"{out} holds no pre-trained model; run parley train pretrain --out {out} first, "
            "or name a model folder to fine-tune with --model"
        )
    reporter = Reporter(out)
    given = material.read(data)
    if not given.natural:
        reporter.say("no natural text given: training on generated dialogues and copying alone")
    if earlier:
        tokenizer = earlier.tokenizer()
    else:
        tokenizer = _tokenizer(out / "tokenizer", given, shape, seed=seed, resume=resume)
    reporter.say(f"tokenizer: {len(tokenizer):,} entries in {earlier.folder if earlier else out / 'tokenizer'}")
    run = _Run(
        measure=measure, out=out, shape=shape, choice=choice, given=given, tokenizer=tokenizer, reporter=reporter,
        resume=resume, precision=precision, accumulate=accumulate,
    )  # fmt: skip
    run.tell_of_long_chats()
    model = earlier.model(row=shape.row) if earlier else build(shape, tokenizer, seed=seed)
    phases = _phases(shape, given)
    asked = [phase for phase in phases if phase.name in steps]
    for number, phase in enumerate(phases):
        folder = out / phase.name
        if _done(folder) and (resume or phase not in asked):
            model = type(model).from_pretrained(folder / "last")
        elif phase in asked:
            share = phase.share / sum(p.share for p in asked)
            whole = tokens or (10**9 if minutes else int(shape.tokens * sum(p.share for p in asked)))
            budget = Budget(tokens=int(whole * share), minutes=minutes * share if minutes else None)
            if not run.phase(model, phase, budget, number=number):
                reporter.say(f"interrupted; the checkpoint is in {folder}, the same command goes on from there")
                return False
    if asked:
        plot.picture(reporter.rows(), out / "loss.png")
        reporter.draw(plot.text(reporter.rows(), width=reporter.width))
    if "export" in steps:
        run.export(model)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    measure: Measure
    out: Path
    shape: Preset
    choice: "_Choice"
    given: Material
    tokenizer: Any
    reporter: Reporter
    resume: bool
    precision: Wanted
    accumulate: int

    def tell_of_long_chats(self) -> None:
        """What does not fit a row is cut to it, and that is said."""
        row = self.shape.row
        lengths = [len(encode(self.tokenizer, chat).ids) for chat in self.given.chats]
        if long := [number for number, length in enumerate(lengths, start=1) if length > row]:
            self.reporter.say(
                f"{len(long)} of {len(lengths)} chats are cut to {row} tokens, the first of them chat {long[0]} with "
                f"{lengths[long[0] - 1]:,}"
            )

    def phase(self, model: Any, phase: Phase, budget: Budget, *, number: int) -> bool:
        shape, folder = self.shape, self.out / phase.name
        steps = -(-budget.tokens // shape.step)
        rows = Mixture(
            self.tokenizer,
            shape,
            shares=phase.shares,
            length=steps * shape.rows,
            seed=self.choice.seed * 10 + number,
            natural=self.given.natural,
            sentences=material.quotable(self.given.natural),
            chats=self.given.chats,
        )
        recipe = Recipe(
            rows=shape.rows,
            row=shape.row,
            rate=phase.rate,
            decay=phase.decay,
            accumulate=self.accumulate,
            warmup=min(100, steps // 5 + 1),
            log_every=min(25, steps // 8 + 1),
            save_every=min(250, steps // 4 + 1),
        )
        self._begin(folder)
        host = machine.choose(model, rows[0], wanted=self.precision, out=self.out, resume=self.resume)
        resources.check(model, rows[0], rows=recipe.part, out=self.out, bf16=host.precision == "bf16")
        self.reporter.say(f"{phase.name}: {host.described}, {budget.tokens:,} tokens at most, {steps:,} steps")
        with self.reporter.phase(phase.name) as meter:
            whole = fit(
                model, rows, recipe, out=folder, budget=budget, seed=self.choice.seed, meter=meter, host=host,
                resume=self.resume,
            )  # fmt: skip
        if whole:
            model.save_pretrained(folder / "last")
            self.tokenizer.save_pretrained(folder / "last")
            (self.out / "figures.json").unlink(missing_ok=True)
            spent = {
                "tokens": budget.done_tokens,
                "seconds": round(budget.seconds),
                "mix": phase.mix,
                "sources": [path.name for path in (*self.given.files.texts, *self.given.files.chats)],
                "machine": host.described,
                **self.reporter.typical(phase.name),
            }
            (folder / "done.json").write_text(json.dumps(spent, indent=1), encoding="utf-8")
        return whole

    def _begin(self, folder: Path) -> None:
        """Refuse to go on with other data; keep the notices of what is trained on."""
        names = [path.name for path in (*self.given.files.texts, *self.given.files.chats)]
        file = folder / "begun.json"
        folder.mkdir(parents=True, exist_ok=True)
        if self.resume and file.exists():
            before = json.loads(file.read_text(encoding="utf-8"))
            if before != names:
                raise TrainingError(f"{folder} was begun with the data {before}; give the same or use --no-resume")
        file.write_text(json.dumps(names), encoding="utf-8")
        for notice in self.given.files.notices:
            content = notice.read_bytes()
            kept = self.out / "notices" / f"{hashlib.sha256(content).hexdigest()[:12]}.md"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(content)

    def export(self, model: Any) -> None:
        kept = self.out / "figures.json"
        if self.resume and kept.exists():
            self.reporter.say(f"the figures in {kept} stand; remove it to evaluate again")
            figures = json.loads(kept.read_text(encoding="utf-8"))
        else:
            self.reporter.say("evaluating")
            figures = self.measure(
                model, self.tokenizer, held=self.given.held, items=self.shape.questions, seed=self.choice.seed
            )
            kept.write_text(json.dumps(figures, indent=1), encoding="utf-8")
        done = {name: _done(self.out / name) for name in ("pretrain", "finetune")}
        phases = {name: spent for name, spent in done.items() if spent}
        about = {
            "preset": self.choice.preset,
            "parameters": sum(p.numel() for p in model.parameters()),
            "layers": model.config.num_hidden_layers,
            "width": model.config.hidden_size,
            "vocabulary": len(self.tokenizer),
            "context": model.config.max_position_embeddings,
            "seed": self.choice.seed,
            "mix": "; ".join(spent["mix"] for spent in phases.values()),
            "phases": phases,
            "sources": list(dict.fromkeys(name for spent in phases.values() for name in spent["sources"])),
        }
        notices = sorted((self.out / "notices").glob("*.md"))
        if earlier := self.choice.earlier:
            about["earlier"] = earlier.described()
            notices = earlier.notices(notices)
        export(model, self.tokenizer, self.out / "model", about=about, figures=figures, notices=notices)
        self.reporter.say(f"exported to {self.out / 'model'}")


def quieten(threads: int | None) -> None:
    """Leave the terminal to our own lines, and take so many threads."""
    if threads:
        torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def _phases(shape: Preset, given: Material) -> tuple[Phase, ...]:
    chats = 1.0 if given.chats else 0.0
    return (
        Phase(
            name="pretrain",
            share=0.85,
            shares=Shares(copying=0.08, natural=0.2, chats=0.05 * chats, drills=0.8),
            rate=shape.rate,
            decay=0.2,
        ),
        Phase(
            name="finetune",
            share=0.15,
            shares=Shares(copying=0.0, natural=0.0, chats=0.2 * chats, drills=0.2),
            rate=shape.rate / 5,
            decay=1.0,
        ),
    )


def _tokenizer(folder: Path, given: Material, shape: Preset, *, seed: int, resume: bool) -> Any:
    if resume and (folder / "tokenizer.json").exists():
        return bpe.load(folder)
    tokenizer = bpe.train(material.sample(given, shape, seed=seed), vocabulary=shape.vocabulary, context=shape.context)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _done(folder: Path) -> dict[str, Any]:
    """What a finished phase spent, else nothing."""
    file = folder / "done.json"
    spent: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return spent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What does not change in a run."""

    preset: str
    seed: int
    earlier: Earlier | None


def _remember(out: Path, preset: str | None, seed: int | None, start: Path | None, *, resume: bool) -> _Choice:
    """As said, as the run was begun with, or the defaults."""
    path = out / "run.json"
    before = json.loads(path.read_text(encoding="utf-8")) if resume and path.exists() else {}
    if start is None and "start" in before:
        start = Path(before["start"]["folder"])
    chosen = _Choice(
        preset=preset or before.get("preset", "cpu"),
        seed=before.get("seed", 0) if seed is None else seed,
        earlier=Earlier.read(start) if start else None,
    )
    presets.preset(chosen.preset)
    choice: dict[str, Any] = {"preset": chosen.preset, "seed": chosen.seed}
    if chosen.earlier:
        choice["start"] = {"folder": str(chosen.earlier.folder), "sha256": chosen.earlier.sha256}
    if before and _identity(choice) != _identity(before):
        raise TrainingError(f"{out} holds a run begun with {before}; choose another --out or use --no-resume")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(choice, indent=1), encoding="utf-8")
    return chosen


def _identity(choice: Mapping[str, Any]) -> tuple[Any, ...]:
    return choice["preset"], choice["seed"], choice.get("start", {}).get("sha256")

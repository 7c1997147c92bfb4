"""Fine-tune any causal model on chats, whole or beside it by LoRA, resumable at every point."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from bot.errors import TrainingError
from bot.training import base, chats, corpus, lora, machine, plot, resources
from bot.training.chats import Chat, Rows
from bot.training.data import IGNORED
from bot.training.export import export_tuned, sha256
from bot.training.lora import Adapter
from bot.training.loss import labelled_loss
from bot.training.machine import Wanted
from bot.training.progress import Reporter
from bot.training.run import quieten
from bot.training.schedule import Budget
from bot.training.trainer import Recipe, fit

_HELD = 20  # one chat in so many is kept back to measure the loss on, where there are as many
_ROW = 512


def tune(
    *,
    model: Path,
    data: tuple[Path, ...],
    out: Path,
    adapter: Adapter | None = None,
    epochs: float = 3.0,
    rate: float | None = None,
    rows: int | None = None,
    row: int | None = None,
    template: str | None = None,
    minutes: float | None = None,
    tokens: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    precision: Wanted = "auto",
    accumulate: int = 1,
    resume: bool = True,
) -> bool:
    """Fine-tune the model folder `model` on the chats of `data`; the result goes to `out/model` or `out/adapter`.

    A step is `rows` rows of `row` tokens (where None, up to four by the size of the data, and the longest chat's tokens
    but 512 at least). False where Ctrl-C or SIGTERM ended this call early: a checkpoint is kept. Raises TrainingError.
    """
    quieten(threads)
    files = corpus.find(data)
    if files.texts or not files.chats:
        named = f"{files.texts[0]} is text" if files.texts else "there are none"
        raise TrainingError(f"fine-tuning a model takes chats (--data chats.jsonl): {named}")
    tokenizer = base.tokenizer(model, template)
    read = chats.read(files.chats, tokenizer)
    row = _row(read, row, context=base.context(model))
    reporter = Reporter(out)
    identity = {path.name: sha256(path) for path in base.weights(model)}
    _remember(
        out,
        {
            "base": identity,
            "data": {path.name: sha256(path) for path in files.chats},
            "adapter": json.loads(json.dumps(asdict(adapter))) if adapter else None,
            "row": row,
            "seed": seed,
        },
        resume=resume,
    )
    learner = base.model(model, frozen=adapter is not None)
    kind = learner.dtype if adapter else _kind(model)
    if adapter:
        learner = lora.wrap(learner, adapter, seed=seed)
    learner.config.use_cache = False
    held = read[_HELD - 1 :: _HELD]
    taught = [chat for number, chat in enumerate(read, start=1) if number % _HELD]
    packed = tells_pieces_apart(learner)
    given = Rows(taught, row=row, pad=_pad(tokenizer), seed=seed, packed=packed)
    rows = rows or _rows(given.per_epoch, accumulate)
    recipe, budget = _plan(
        given.per_epoch, epochs=epochs, rows=rows, row=row, rate=rate or (2e-4 if adapter else 2e-5),
        accumulate=accumulate, tokens=tokens, minutes=minutes,
    )  # fmt: skip
    host = machine.choose(learner, given[0], wanted=precision, out=out, resume=resume)
    bf16 = host.precision == "bf16"
    resources.check(learner, given[0], rows=recipe.part, out=out, bf16=bf16)
    trained = sum(p.numel() for p in learner.parameters() if p.requires_grad)
    reporter.say(
        f"finetune: {host.described}; {len(taught):,} chats in {given.per_epoch:,} rows of {row:,} tokens, "
        f"{trained:,} parameters learn"
    )
    before = _held_loss(out, learner, held, row=row, pad=_pad(tokenizer))
    with reporter.phase("finetune") as meter:
        whole = fit(
            learner, given, recipe, out=out / "finetune", budget=budget, seed=seed, meter=meter, host=host,
            resume=resume,
        )  # fmt: skip
    if not whole:
        reporter.say(f"interrupted; the checkpoint is in {out / 'finetune'}, the same command goes on from there")
        return False
    plot.picture(reporter.rows(), out / "loss.png")
    reporter.draw(plot.text(reporter.rows(), width=reporter.width))
    after = mean_loss(learner, held, row=row, pad=_pad(tokenizer))
    about = {
        "base": model.resolve().name,
        "base_sha256": identity,
        "adapter": asdict(adapter) | {"targets": sorted(learner.peft_config["default"].target_modules)}
        if adapter
        else None,
        "chats": len(taught),
        "held": len(held),
        "loss_before": before,
        "loss_after": after,
        "trained": trained,
        "seed": seed,
        "rate": recipe.rate,
        "epochs": budget.done_tokens / recipe.row / given.per_epoch,
        "sources": [path.name for path in files.chats],
        "machine": host.described,
        "seconds": round(budget.seconds),
        **reporter.typical("finetune"),
    }
    folder = out / ("adapter" if adapter else "model")
    export_tuned(learner, tokenizer, folder, about=about, base=model, kind=kind, notices=files.notices)
    if before is not None and after is not None:
        reporter.say(f"loss on {len(held)} chats kept back: {before:.3f} → {after:.3f}")
    reporter.say(f"exported to {folder}")
    return True


def _row(read: Sequence[Chat], wanted: int | None, *, context: int) -> int:
    longest = max(read, key=lambda chat: chat.tokens)
    row = wanted or min(context, max(_ROW, longest.tokens))
    if row > context:
        raise TrainingError(f"rows of {row:,} tokens are longer than the model's context of {context:,}")
    if longest.tokens > row:
        more = "give longer rows with --row" if longest.tokens <= context else "shorten it"
        raise TrainingError(f"{longest.where}: {longest.tokens:,} tokens are more than a row of {row:,} holds; {more}")
    return row


def _rows(per_epoch: int, accumulate: int) -> int:
    """Few where there are few: a model that takes two steps has learnt nothing."""
    return -(-max(1, min(4, per_epoch // 8)) // accumulate) * accumulate


def _plan(
    per_epoch: int, *, epochs: float, rows: int, row: int, rate: float, accumulate: int, tokens: int | None,
    minutes: float | None,
) -> tuple[Recipe, Budget]:  # fmt: skip
    whole = tokens or (10**9 if minutes else max(rows, round(per_epoch * epochs)) * row)
    steps = -(-whole // (rows * row))
    recipe = Recipe(
        rows=rows, row=row, rate=rate, decay=0.5, accumulate=accumulate, warmup=min(50, steps // 10 + 1),
        log_every=min(10, steps // 20 + 1), save_every=min(200, steps // 4 + 1),
    )  # fmt: skip
    return recipe, Budget(tokens=whole, minutes=minutes)


@torch.no_grad()
def tells_pieces_apart(model: Any) -> bool:
    """Whether positions that start again part the documents of a row for this model, as they do for most."""
    here = machine.device()
    model.to(here).eval()
    ids = torch.arange(16, device=here)[None] % 11 + 5
    places = torch.arange(16, device=here)[None]

    def seen(ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = model(input_ids=ids, position_ids=positions, use_cache=False).logits
        return logits[:, -8:].float()

    alone = seen(ids[:, 8:], places[:, :8])
    apart = (seen(ids, places % 8) - alone).abs().max()
    joined = (seen(ids, places) - alone).abs().max()
    return bool(apart < joined * 0.1)


def _held_loss(out: Path, model: Any, held: Sequence[Chat], *, row: int, pad: int) -> float | None:
    """The loss before training: measured once, then remembered."""
    file = out / "before.json"
    if not file.exists():
        file.write_text(json.dumps(mean_loss(model, held, row=row, pad=pad)), encoding="utf-8")
    found: float | None = json.loads(file.read_text(encoding="utf-8"))
    return found


@torch.no_grad()
def mean_loss(model: Any, held: Sequence[Chat], *, row: int, pad: int) -> float | None:
    """Nats a token of what the assistant says in `held`; None without chats."""
    if not held:
        return None
    model.eval()
    total, count = 0.0, 0
    rows = Rows(held, row=row, pad=pad, seed=0, packed=False)
    for number in range(rows.per_epoch):
        batch = {name: value[None].to(machine.device()) for name, value in rows[number].items()}
        labels = int((batch["labels"] != IGNORED).sum())
        loss, _ = labelled_loss(model, batch, count=1)
        total, count = total + float(loss), count + labels
    return total / max(1, count)


def _kind(folder: Path) -> torch.dtype:
    """The precision that the base is stored in: the tuned model's too."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    found = getattr(torch, str(config.get("dtype") or config.get("torch_dtype") or "float32"), torch.float32)
    return found if isinstance(found, torch.dtype) else torch.float32


def _pad(tokenizer: Any) -> int:
    return int(tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id)


def _remember(out: Path, choice: Mapping[str, Any], *, resume: bool) -> None:
    """Refuse to go on with a fine-tuning that was begun with other choices."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "run.json"
    if path.exists() and resume:
        before = json.loads(path.read_text(encoding="utf-8"))
        if other := [name for name in choice if before.get(name) != choice[name]]:
            raise TrainingError(
                f"{out} holds a run begun with another {' and '.join(other)}; choose another --out or use --no-resume"
            )
    else:
        (out / "before.json").unlink(missing_ok=True)
        path.write_text(json.dumps(choice, indent=1), encoding="utf-8")

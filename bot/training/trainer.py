"""transformers' Trainer with our loss (only where there is a label), our schedule and a stop that keeps everything."""

import errno
import math
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from bot.errors import TrainingError
from bot.training import checkpoints, machine
from bot.training.checkpoints import Spent
from bot.training.flops import Cost, cost
from bot.training.loss import labelled_loss
from bot.training.machine import Machine
from bot.training.schedule import Budget, wsd


class Meter(Protocol):
    """Where a phase reports to."""

    def rewind(self, step: int) -> None:
        """The phase begins, or goes on, after `step`: what was logged later is void."""

    def advance(self, share: float) -> None: ...

    def log(self, figures: Mapping[str, float]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`rows` of `row` tokens make a step, in `accumulate` parts; `rate` is the peak; `decay` the share of the budget
    spent on bringing it to 0; `warmup`, `log_every` and `save_every` are steps."""

    rows: int
    row: int
    rate: float
    decay: float
    accumulate: int = 1
    warmup: int = 100
    log_every: int = 25
    save_every: int = 250

    def __post_init__(self) -> None:
        if self.accumulate < 1 or self.rows % self.accumulate:
            raise TrainingError(
                f"a step of {self.rows} rows cannot be split in {self.accumulate} parts; "
                f"choose --accumulate among {', '.join(str(n) for n in range(1, self.rows + 1) if self.rows % n == 0)}"
            )

    @property
    def step(self) -> int:
        """Tokens of one optimizer step."""
        return self.row * self.rows

    @property
    def part(self) -> int:
        """Rows that go through the model at once."""
        return self.rows // self.accumulate


class _Trainer(Trainer):  # type: ignore[misc]  # transformers is untyped here
    budget: Budget
    recipe: Recipe
    losses: Tensor
    labelled: Tensor

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None, **_: Any
    ) -> Any:
        loss, logits = labelled_loss(model, inputs, count=num_items_in_batch)
        self.losses += loss.detach()
        self.labelled += logits.shape[0]
        return (loss, {"logits": logits}) if return_outputs else loss

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        def factor(step: int) -> float:
            return wsd(self.budget.progress, step, warmup=self.recipe.warmup, decay=self.recipe.decay)

        self.lr_scheduler = LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler

    def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class _Watch(TrainerCallback):  # type: ignore[misc]  # likewise
    """Counts, logs, ends the phase with its budget and saves on Ctrl-C or SIGTERM."""

    trainer: _Trainer

    def __init__(self, budget: Budget, recipe: Recipe, meter: Meter, host: Machine, price: Cost) -> None:
        self.budget = budget
        self.recipe = recipe
        self.meter = meter
        self.host = host
        self.price = price
        self.steps = 0
        self.interrupted = False
        self._since = (0.0, 0)

    def stop(self, *_: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.budget.done_tokens = state.global_step * self.recipe.step
        self._since = (self.budget.seconds, self.budget.done_tokens)
        self.meter.rewind(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps += 1
        self.budget.done_tokens = state.global_step * self.recipe.step
        self.meter.advance(self.budget.progress)
        over = self.budget.progress >= 1
        if over or state.global_step % self.recipe.log_every == 0:
            self._log(state.global_step)
        if over or self.interrupted:
            control.should_save = True
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        spent = Spent(seconds=self.budget.seconds, loss=float(self.trainer.losses), steps=self.steps)
        checkpoints.mark(Path(args.output_dir) / f"checkpoint-{state.global_step}", spent)

    def _log(self, step: int) -> None:
        loss = float(self.trainer.losses) / self.steps
        if not math.isfinite(loss):
            raise TrainingError(f"the loss is {loss} at step {step}; use a lower rate or --precision fp32")
        seconds, tokens = self.budget.seconds, self.budget.done_tokens
        speed = (tokens - self._since[1]) / max(1e-9, seconds - self._since[0])
        labelled = float(self.trainer.labelled) / max(1, tokens - self._since[1])
        self.meter.log(
            {
                "step": step,
                "tokens": tokens,
                "loss": loss,
                "rate": float(self.trainer.lr_scheduler.get_last_lr()[0]),
                "seconds": round(seconds, 2),
                "progress": self.budget.progress,
                "speed": round(speed, 1),
                "mfu": round(speed * self.price.per_token(labelled=min(1.0, labelled)) / self.host.peak, 4),
                "memory": machine.used(),
            }
        )
        self._since = (seconds, tokens)
        self.steps = 0
        self.trainer.losses.zero_()
        self.trainer.labelled.zero_()


def fit(
    model: Any, data: Any, recipe: Recipe, *, out: Path, budget: Budget, seed: int, meter: Meter, host: Machine,
    resume: bool = True,
) -> bool:  # fmt: skip
    """Train in place until the budget is spent. False where Ctrl-C or SIGTERM ended it early; a checkpoint is kept.

    `data` has rows of input_ids, labels and position_ids, each made from its number alone. With `resume` it goes on
    from the last whole checkpoint in `out`, on the same rows and the same curve.
    """
    last = checkpoints.latest(out) if resume else None
    arguments = _arguments(recipe, out=out, budget=budget, seed=seed, host=host)
    watch = _Watch(budget, recipe, meter, host, cost(model, row=recipe.row))
    trainer = _Trainer(model=model, args=arguments, train_dataset=data, callbacks=[watch])
    trainer.remove_callback(PrinterCallback)
    trainer.budget, trainer.recipe, watch.trainer = budget, recipe, trainer
    trainer.losses = torch.zeros((), device=arguments.device)
    trainer.labelled = torch.zeros((), device=arguments.device)
    trainer.model_accepts_loss_kwargs = True  # the loss is the mean over the whole step's labelled tokens
    if last:
        _, _, spent = last
        budget.spent_seconds, watch.steps = spent.seconds, spent.steps
        trainer.losses += spent.loss
    with _kept_when_ended(watch), _said_in_a_line():
        budget.start()
        trainer.train(resume_from_checkpoint=str(last[0]) if last else None)
    return not watch.interrupted


def _arguments(recipe: Recipe, *, out: Path, budget: Budget, seed: int, host: Machine) -> Any:
    gpu = host.device == "cuda"
    arguments = TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=recipe.part,
        gradient_accumulation_steps=recipe.accumulate,
        max_steps=math.ceil(budget.tokens / recipe.step),
        learning_rate=recipe.rate,
        weight_decay=0.05,
        adam_beta2=0.95,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=host.precision == "bf16",
        use_cpu=not gpu,
        logging_strategy="no",
        save_steps=recipe.save_every,
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        seed=seed,
        dataloader_num_workers=0,
        dataloader_pin_memory=gpu,
        remove_unused_columns=False,
        label_names=["labels"],
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # one GPU: replicas in threads would each need the labels' hook
    return arguments


@contextmanager
def _kept_when_ended(watch: _Watch) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the step and save; a second one ends at once."""
    earlier = {kind: signal.signal(kind, watch.stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in earlier.items():
            signal.signal(kind, handler)


@contextmanager
def _said_in_a_line() -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError("the GPU's memory does not hold a step; split it by --accumulate or use --lora") from error
    except (OSError, SafetensorError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            raise TrainingError("the disk is full; make room and run the same command again to go on") from error
        raise

"""transformers' Trainer with our loss (only where there is a label), our schedule and a stop that keeps everything."""

import json
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from bot.training.data import IGNORED, Mixture
from bot.training.presets import Preset
from bot.training.schedule import Budget, wsd

Tell = Callable[[dict[str, float]], None]
SPENT = "spent.json"


class _Trainer(Trainer):  # type: ignore[misc]  # transformers is untyped here
    budget: Budget
    warmup: int
    decay: float

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        """Cross-entropy of the labelled tokens alone: the output layer is the dearest part of a small model."""
        labels: Tensor = inputs["labels"][:, 1:]
        body = model.model(input_ids=inputs["input_ids"], position_ids=inputs["position_ids"], use_cache=False)
        kept = labels != IGNORED
        logits = model.lm_head(body.last_hidden_state[:, :-1][kept])
        loss = torch.nn.functional.cross_entropy(logits.float(), labels[kept])
        return (loss, {"logits": logits}) if return_outputs else loss

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        def factor(step: int) -> float:
            return wsd(self.budget.progress, step, warmup=self.warmup, decay=self.decay)

        self.lr_scheduler = LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler

    def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class _Watch(TrainerCallback):  # type: ignore[misc]  # likewise
    """Counts tokens, tells the progress, ends the phase with its budget and saves on Ctrl-C or SIGTERM."""

    def __init__(self, budget: Budget, step: int, tell: Tell) -> None:
        self.budget = budget
        self.step = step
        self.tell = tell
        self.interrupted = False

    def stop(self, *_: Any) -> None:
        self.interrupted = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.budget.done_tokens = state.global_step * self.step
        if self.interrupted or self.budget.progress >= 1:
            control.should_save = True
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.tell(
                {
                    "step": state.global_step,
                    "tokens": self.budget.done_tokens,
                    "loss": float(logs["loss"]),
                    "rate": float(logs["learning_rate"]),
                    "seconds": self.budget.seconds,
                    "progress": self.budget.progress,
                }
            )

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (folder / SPENT).write_text(json.dumps({"seconds": self.budget.seconds}), encoding="utf-8")


def train(
    model: Any,
    data: Mixture,
    preset: Preset,
    *,
    out: Path,
    budget: Budget,
    rate: float,
    decay: float,
    seed: int,
    tell: Tell,
    warmup: int = 100,
    save_every: int = 250,
    log_every: int = 25,
    resume: bool = True,
) -> bool:
    """Train in place until the budget is spent. False where Ctrl-C or SIGTERM ended it early; a checkpoint is kept.

    With `resume` it goes on from the last checkpoint in `out`, on the same rows and the same curve.
    """
    last = get_last_checkpoint(str(out)) if resume and out.exists() else None
    if last and (Path(last) / SPENT).exists():
        budget.spent_seconds = json.loads((Path(last) / SPENT).read_text(encoding="utf-8"))["seconds"]
    gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=preset.rows,
        max_steps=math.ceil(budget.tokens / preset.step),
        learning_rate=rate,
        weight_decay=0.05,
        adam_beta2=0.95,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=gpu,
        use_cpu=not gpu,
        logging_steps=log_every,
        logging_nan_inf_filter=False,
        save_steps=save_every,
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        seed=seed,
        dataloader_num_workers=0,
        dataloader_pin_memory=gpu,
        remove_unused_columns=False,
        label_names=["labels"],
    )
    watch = _Watch(budget, preset.step, tell)
    trainer = _Trainer(model=model, args=arguments, train_dataset=data, callbacks=[watch])
    trainer.remove_callback(PrinterCallback)
    trainer.budget, trainer.warmup, trainer.decay = budget, warmup, decay
    trainer.model_accepts_loss_kwargs = False
    earlier = {kind: signal.signal(kind, watch.stop) for kind in (signal.SIGINT, signal.SIGTERM)}
    budget.start()
    try:
        trainer.train(resume_from_checkpoint=last)
    finally:
        for kind, handler in earlier.items():
            signal.signal(kind, handler)
    return not watch.interrupted

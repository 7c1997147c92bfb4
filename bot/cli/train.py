"""parley train: a small GPT from text to exported model, and the fine-tuning of any model."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from bot.training.run import Step

cli = typer.Typer(
    name="train",
    help="Train a small GPT from nothing, or fine-tune any model on your chats.",
    epilog="Examples: `parley train all --preset nano --out runs/try` (a minute: does it work here?), "
    "`parley train all --preset cpu --data corpus/ --minutes 120 --out runs/mine`, "
    "`parley train finetune --lora --model models/qwen --data chats.jsonl --out runs/acme`. "
    "The same command again goes on where it was ended, by Ctrl-C or worse.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Out = Annotated[Path, typer.Option(help="Folder of the run: checkpoints, log, plot, model.")]
PresetOption = Annotated[
    Literal["nano", "cpu", "gpu"] | None,
    typer.Option(help="Size of the model and of the run.", show_default="cpu, or what the folder was begun with"),
]
Data = Annotated[list[Path] | None, typer.Option(help="Text, .xz or chats as .jsonl; files or folders.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after this long; the schedule fits itself to it.")]
Tokens = Annotated[int | None, typer.Option(min=1, help="Train on this many tokens.")]
Resume = Annotated[bool, typer.Option(help="Go on with what the folder holds.")]
SeedOption = Annotated[
    int | None,
    typer.Option(help="The same seed gives the same run on one machine.", show_default="0, or the folder's"),
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads of the CPU; by default one for nano, else as torch likes.")
]
PrecisionOption = Annotated[
    Literal["auto", "fp32", "bf16"], typer.Option(help="auto measures which is faster on this machine.")
]
Accumulate = Annotated[
    int, typer.Option(min=1, help="Compute each step in so many parts: less memory, the same result.")
]
Start = Annotated[
    Path | None,
    typer.Option("--from", help="Go on from a model that `parley train` exported, in place of fresh weights."),
]
RUN = Path("runs/starter")


@cli.command()
def tokenizer(
    out: Out = RUN, preset: PresetOption = None, data: Data = None, seed: SeedOption = None, resume: Resume = True
) -> None:
    """Train the tokenizer alone: byte-level BPE on your text and generated dialogues.

    Example: `parley train tokenizer --preset cpu --data corpus/ --out runs/mine`
    """
    _train(("tokenizer",), out=out, preset=preset, data=data, seed=seed, resume=resume)


@cli.command()
def pretrain(
    *, out: Out = RUN, preset: PresetOption = None, start: Start = None, data: Data = None, minutes: Minutes = None,
    tokens: Tokens = None, seed: SeedOption = None, threads: Threads = None, precision: PrecisionOption = "auto",
    accumulate: Accumulate = 1, resume: Resume = True,
) -> None:  # fmt: skip
    """Pre-train on natural text, copying and dialogues; the tokenizer first, where the folder has none.

    Example: `parley train pretrain --preset cpu --data corpus/ --minutes 100 --out runs/mine`
    """
    _train(
        ("tokenizer", "pretrain"), out=out, preset=preset, start=start, data=data, minutes=minutes, tokens=tokens,
        seed=seed, threads=threads, precision=precision, accumulate=accumulate, resume=resume,
    )  # fmt: skip


@cli.command()
def finetune(
    *,
    model: Annotated[
        Path | None, typer.Option(help="Folder of any causal model; else what was pre-trained in --out.")
    ] = None,
    out: Out = RUN, data: Data = None,
    lora: Annotated[bool, typer.Option("--lora", help="Train a small adapter beside the model.")] = False,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapter.")] = 16,
    alpha: Annotated[float | None, typer.Option(help="Its scale over the rank; twice the rank by default.")] = None,
    targets: Annotated[
        str | None, typer.Option(help="Its layers, such as q_proj,v_proj; all linear ones by default.")
    ] = None,
    epochs: Annotated[float, typer.Option(min=0.01, help="How often each chat is seen (with --model).")] = 3.0,
    rate: Annotated[
        float | None, typer.Option(min=0, help="Peak learning rate; 2e-4 with --lora, else 2e-5 (with --model).")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows of a step; 1 to 4 by the size of the data.")] = None,
    row: Annotated[
        int | None, typer.Option(min=8, help="Tokens of a row; 512 by default, or the longest chat's.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="A Jinja file, or `plain`, for a model without a chat template.")
    ] = None,
    minutes: Minutes = None, tokens: Tokens = None, seed: SeedOption = None, threads: Threads = None,
    precision: PrecisionOption = "auto", accumulate: Accumulate = 1, resume: Resume = True,
) -> None:  # fmt: skip
    """Fine-tune: the model pre-trained in --out on dialogues, or with --model any causal model on your chats.

    Only what the assistant says is learnt. With --lora the result is a small folder beside the unchanged model.

    Examples: `parley train finetune --out runs/mine`,
    `parley train finetune --lora --model models/qwen --data chats.jsonl --out runs/acme`
    """
    if model is None:
        if lora:
            raise typer.BadParameter("name the model to put it beside with --model", param_hint="--lora")
        _train(
            ("finetune",), out=out, data=data, minutes=minutes, tokens=tokens, seed=seed, threads=threads,
            precision=precision, accumulate=accumulate, resume=resume,
        )  # fmt: skip
        return

    def tune() -> bool:
        from bot.imports import uncollected

        with uncollected():
            from bot.training.lora import Adapter
            from bot.training.tune import tune as tune_model

        names = tuple(name.strip() for name in targets.split(",")) if targets else ()
        return tune_model(
            model=model, data=tuple(data or ()), out=out,
            adapter=Adapter(rank=rank, alpha=alpha or 2.0 * rank, targets=names) if lora else None,
            epochs=epochs, rate=rate, rows=rows, row=row, template=template, minutes=minutes, tokens=tokens,
            seed=seed or 0, threads=threads, precision=precision, accumulate=accumulate, resume=resume,
        )  # fmt: skip

    _endable(tune)


@cli.command(name="all")
def everything(
    *, out: Out = RUN, preset: PresetOption = None, start: Start = None, data: Data = None, minutes: Minutes = None,
    tokens: Tokens = None, seed: SeedOption = None, threads: Threads = None, precision: PrecisionOption = "auto",
    accumulate: Accumulate = 1, resume: Resume = True,
) -> None:  # fmt: skip
    """Take every step from nothing to a model: tokenizer, pretrain, finetune, evaluation, export.

    Steps that the folder already holds are not taken again.

    Examples: `parley train all --preset nano --out runs/try`, `parley train all --data corpus/ --minutes 90`,
    `parley train all --from runs/mine/model --data corpus/ --minutes 90 --out runs/further`
    """
    _train(
        ("tokenizer", "pretrain", "finetune", "export"), out=out, preset=preset, start=start, data=data,
        minutes=minutes, tokens=tokens, seed=seed, threads=threads, precision=precision, accumulate=accumulate,
        resume=resume,
    )  # fmt: skip


def _train(
    steps: "tuple[Step, ...]", *, out: Path, preset: str | None = None, start: Path | None = None,
    data: list[Path] | None,
    minutes: float | None = None, tokens: int | None = None, seed: int | None = None, threads: int | None = None,
    precision: Literal["auto", "fp32", "bf16"] = "auto", accumulate: int = 1, resume: bool = True,
) -> None:  # fmt: skip
    def train() -> bool:
        from bot.imports import uncollected

        with uncollected():
            from bot.evaluation.figures import figures
            from bot.training.run import train as train_model

        return train_model(
            measure=figures, steps=steps, preset=preset, start=start, data=tuple(data or ()), out=out, seed=seed,
            minutes=minutes, tokens=tokens, threads=threads, precision=precision, accumulate=accumulate, resume=resume,
        )  # fmt: skip

    _endable(train)


def _endable(work: Callable[[], bool]) -> None:
    """SIGTERM counts as Ctrl-C, also where no step is under way; both lead to exit code 130."""
    import signal

    from bot.errors import ConfigError, Interrupted

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        whole = work()
    except ModuleNotFoundError as error:
        raise ConfigError(f"training needs {error.name}; install it with: pip install 'parley[train]'") from error
    if not whole:
        raise Interrupted

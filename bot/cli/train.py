"""parley train: a small GPT from text to exported model."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def train(
    *,
    out: Annotated[Path, typer.Option(help="Folder of the run: checkpoints, plot, model.")] = Path("runs/starter"),
    preset: Annotated[Literal["nano", "cpu", "gpu"], typer.Option(help="Size of the model and of the run.")] = "cpu",
    data: Annotated[list[Path] | None, typer.Option(help="Text, .xz or chats as .jsonl; files or folders.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long; the schedule fits itself to it.")] = None,
    tokens: Annotated[int | None, typer.Option(help="Train on this many tokens.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the folder.")] = True,
    seed: Annotated[int, typer.Option(help="The same seed gives the same run on one machine.")] = 0,
) -> None:
    """Train a small GPT from scratch.

    Tokenizer, pre-training, fine-tuning, evaluation, export. Run again to resume.

    Examples: `parley train --preset nano --out runs/try`, `parley train --data corpus/ --minutes 90`
    """
    from bot.errors import Interrupted
    from bot.training.run import train as train_model

    whole = train_model(
        preset=preset, data=tuple(data or ()), out=out, seed=seed, minutes=minutes, tokens=tokens, resume=resume
    )
    if not whole:
        raise Interrupted

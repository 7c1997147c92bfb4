"""Options that several commands share, and the settings they lead to."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.config import Loaded

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file; parley.yaml in this folder by default.")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", "-m", help="A model folder, a hub id such as Qwen/Qwen3-0.6B, or `starter`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs to read.")]
PersonaOption = Annotated[str, typer.Option("--persona", "-p", help="Which persona answers.")]


def settings(config: Path | None, flags: Mapping[str, tuple[str, object]]) -> "Loaded":
    from bot.config import load

    return load(config, flags=flags)

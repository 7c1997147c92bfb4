"""parley init: first files to edit."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

TEMPLATES = {
    "parley.yaml": Path("parley.yaml"),
    "persona.yaml": Path("personas/acme.yaml"),
    "opening-hours.md": Path("personas/kb/acme/opening-hours.md"),
    "questions.yaml": Path("personas/kb/acme/questions.yaml"),
}


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; this folder by default.")] = Path(),
) -> None:
    """Write first files to edit: settings, a persona, its knowledge.

    Existing files are never touched.

    Examples: `parley init`, `parley init my-assistant && cd my-assistant && parley run`
    """
    from bot.errors import ConfigError

    taken = [path for path in TEMPLATES.values() if (folder / path).exists()]
    if taken:
        raise ConfigError(f"{folder / taken[0]} is already there, so nothing was written; choose another folder")
    for name, path in TEMPLATES.items():
        text = files("bot.cli").joinpath("templates", name).read_text(encoding="utf-8")
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{folder / path}: cannot be written: {error.strerror}") from error
        typer.echo(f"wrote {folder / path}")
    where = "" if folder == Path() else f"cd {folder} && "
    typer.echo(f"Next: {where}parley check && parley chat acme, and edit the files while it runs.")

"""parley check: find every fault in persona files."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders; ./personas by default.")] = None,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the messages.")] = "en",
) -> None:
    """Find every fault in persona files.

    Each comes with file, line and column. Exits 1 where there is an error.

    Examples: `parley check`, `parley check personas/acme-support.yaml`, `parley check --language zh`
    """
    from bot.errors import ConfigError
    from bot.personas import check as check_personas

    wanted = paths or [Path("personas")]
    for path in wanted:
        if not path.exists():
            raise ConfigError(f"{path}: there is no such file or folder; `parley init` writes a first persona")
    report = check_personas(wanted, language=language)
    for problem in report.problems:
        typer.echo(str(problem))
    errors = sum(1 for problem in report.problems if problem.severity == "error")
    typer.echo(f"{report.checked} checked, {errors} with errors" if errors else f"{report.checked} checked, no errors")
    if errors:
        raise typer.Exit(1)

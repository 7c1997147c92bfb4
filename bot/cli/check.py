"""parley check: find every fault in persona files, and ask their checks."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.options import ConfigOption, JsonOption, ModelOption, settings

if TYPE_CHECKING:
    from bot.checks import Checked
    from bot.config import Loaded


def check(
    *,
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files or folders, ./personas by default; with --run personas by name.", metavar="[WHAT]…"),
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Ask the personas' `checks` and judge the answers.")] = False,
    model: ModelOption = None,
    json: JsonOption = False,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the messages.")] = "en",
    config: ConfigOption = None,
) -> None:
    """Find every fault in persona files; with --run, ask their checks.

    Each fault comes with file, line and column. --run puts the questions under `checks` to the model as people would
    and tells which answers are not as expected. Exits 1 where there is an error, or a check that fails.

    Examples: `parley check`, `parley check personas/acme-support.yaml`, `parley check --language zh`,
    `parley check --run acme-support`, `parley check --run --model runs/mine/model --json`
    """
    if run:
        import asyncio

        from bot.cli.logs import configure

        loaded = settings(config, {"engine.model": ("--model", model)})
        configure(loaded.settings.log, quiet=True)
        name, found = asyncio.run(_ask(loaded, paths or []))
        _tell(found, model=name, json=json)
        if not all(one.passed for one in found):
            raise typer.Exit(1)
        return
    if json or model is not None:
        raise typer.BadParameter("--json and --model go with --run")
    _check_files([Path(path) for path in paths or ["personas"]], language)


def _check_files(wanted: Sequence[Path], language: Literal["en", "zh"]) -> None:
    from bot.errors import ConfigError
    from bot.personas import check as check_personas

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


async def _ask(loaded: "Loaded", names: Sequence[str]) -> "tuple[str, Sequence[Checked]]":
    """What a person calls the model, and its answers."""
    from datetime import datetime

    from bot.app import chosen_model, open_catalog, open_engine
    from bot.checks import run_checks, with_checks
    from bot.knowledge import Library
    from bot.models import until_ready

    catalog = open_catalog(loaded.settings)
    personas = with_checks([catalog.get(name) for name in names] or catalog.all())
    knowledge = Library()
    async with open_engine(loaded, await chosen_model(loaded)) as engine:
        await knowledge.refresh(personas)
        await until_ready(engine)
        zone = loaded.settings.zone
        return engine.model, await run_checks(
            personas, engine=engine, knowledge=knowledge, now=lambda: datetime.now(zone)
        )


def _tell(found: "Sequence[Checked]", *, model: str, json: bool) -> None:
    if json:
        from dataclasses import asdict
        from json import dumps

        rows = [{**asdict(one), "passed": one.passed} for one in found]
        typer.echo(dumps({"model": model, "checks": rows}, ensure_ascii=False, indent=2))
        return
    for line in _lines(found):
        typer.echo(line)
    typer.echo(f"{sum(one.passed for one in found)} of {len(found)} checks passed, answered by {model}")


def _lines(found: "Sequence[Checked]") -> Iterator[str]:
    before = None
    for one in found:
        if one.persona != before:
            yield one.persona
        before = one.persona
        yield f"  {'passed' if one.passed else 'FAILED'}  {one.question}"
        yield from (f"          {wrong}" for wrong in one.wrong)
        if not one.passed and one.answer:
            yield f"          answer: {' '.join(one.answer.split())}"

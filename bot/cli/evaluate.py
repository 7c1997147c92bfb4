"""parley eval: what a model can do, and which of two is better."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from bot.evaluation.options import Options
    from bot.evaluation.run import Watch

GATE_NOT_PASSED = 3


def evaluate(
    model: Annotated[str, typer.Argument(help="`starter`, a model folder, or a results.json of an earlier run.")],
    candidate: Annotated[
        str | None, typer.Argument(help="A second one, which may take the first one's place.", metavar="[CANDIDATE]")
    ] = None,
    *,
    groups: Annotated[
        str, typer.Option(help="Some of: text, grounded, honesty, personas, fairness, export; with commas.")
    ] = "all",
    items: Annotated[int | None, typer.Option(min=1, help="Answerable questions a split and seed (500).")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How often with other questions (3).")] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Text to measure bits per byte on; files or folders.")] = None,
    trained: Annotated[
        Path | None, typer.Option(help="Folder of the trained weights that the export came from.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for report.html and results.json.")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to run.")] = "auto",
    quick: Annotated[
        bool, typer.Option("--quick", help="A look in under a minute: few questions, wide intervals.")
    ] = False,
) -> None:
    """Measure a model, or compare two.

    Answers from passages with baselines and ablations, refusals, personas, bias, safety, export: one page, one JSON.
    With two models the last line says whether the second may replace the first; exit code 3 where not.

    Examples: `parley eval starter --quick`, `parley eval runs/mine/model --data corpus/`,
    `parley eval starter runs/mine/model --groups grounded,honesty,personas`
    """
    options = _options(groups, items=items, seeds=seeds, data=data or [], quick=quick)
    _check((model, candidate, str(trained) if trained else None), data or [], options)
    folder = out or Path("evaluation") / "-".join(_name(each) for each in (model, candidate) if each)
    if candidate is not None and trained is not None:
        raise typer.BadParameter("--trained goes with one model, not with two")
    if candidate is None:
        results = _results(model, options, data=data or [], trained=trained, device=device)
        _write(folder, results)
        _tell(results)
        typer.echo(f"report: {folder / 'report.html'}")
        return
    first = _results(model, options, data=data or [], trained=None, device=device)
    _write(folder / "first", first)
    second = _results(candidate, options, data=data or [], trained=None, device=device)
    _write(folder / "second", second)
    _compare(folder, first, second)


def _options(groups: str, *, items: int | None, seeds: int | None, data: list[Path], quick: bool) -> "Options":
    from bot.evaluation.options import GROUPS, QUICK, Options

    wanted = tuple(GROUPS) if groups == "all" else tuple(dict.fromkeys(map(str.strip, groups.split(","))))
    if unknown := [name for name in wanted if name not in GROUPS]:
        raise typer.BadParameter(f"there is no group {unknown[0]!r}; choose from: {', '.join(GROUPS)}")
    base = QUICK if quick else Options()
    return replace(
        base,
        groups=tuple(name for name in GROUPS if name in wanted),
        items=items or base.items,
        seeds=seeds or base.seeds,
        data=tuple(sorted(path.name for path in data)),
    )


def _check(models: tuple[str | None, ...], data: list[Path], options: "Options") -> None:
    """Say what is wrong before anything heavy is loaded or an hour is spent on the first model."""
    from bot.errors import ConfigError
    from bot.evaluation.options import find_model
    from bot.training import corpus

    given = [model for model in models if model]
    folders = [model for model in given if not model.endswith(".json")]
    for folder in folders:
        find_model(folder)
    for file in set(given).difference(folders):
        before, now = _read(Path(file))["options"], options.plain()
        if folders and before != now:
            other = next(name for name in now if before.get(name) != now[name])
            raise ConfigError(
                f"{file} was measured with {other} {before.get(other)!r}, not {now[other]!r}; use the same options"
            )
    corpus.find(data)


def _results(
    model: str, options: "Options", *, data: list[Path], trained: Path | None, device: str
) -> Mapping[str, Any]:
    if model.endswith(".json"):
        return _read(Path(model))
    from bot.imports import uncollected

    with uncollected():
        from bot.evaluation.run import evaluate as run
        from bot.evaluation.subject import open_subject

    subject = open_subject(model, device=device)
    reference = open_subject(str(trained), device=device, exact=True) if trained else None
    with _bars(subject.name) as watch:
        return run(subject, options, data=data, trained=reference, watch=watch)


def _read(path: Path) -> Mapping[str, Any]:
    from bot.errors import ConfigError
    from bot.evaluation.options import FORMAT

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as the results of an evaluation: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ConfigError(f"{path} holds no results of this version of `parley eval`; evaluate the model again")
    return found


@contextmanager
def _bars(name: str) -> "Iterator[Watch]":
    """A bar a group on standard error, with the time that is left; off a terminal a line."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from bot.evaluation.options import GROUPS

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def watch(group: str, expected: int) -> Any:
            fill()
            if not console.is_terminal:
                typer.echo(f"{name}: {GROUPS[group]}", err=True)
            task = progress.add_task(f"{name}: {GROUPS[group]}", total=max(1, expected))
            return lambda count: progress.advance(task, count)

        def fill() -> None:
            for task in progress.tasks:
                progress.update(task.id, completed=task.total)

        yield watch
        fill()


def _write(folder: Path, results: Mapping[str, Any]) -> None:
    from bot.evaluation.report import page

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "report.html").write_text(page(results), encoding="utf-8")


def _compare(folder: Path, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    from bot.evaluation.compare import compare
    from bot.evaluation.report import comparison_page

    found = compare(first, second)
    (folder / "comparison.json").write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "comparison.html").write_text(comparison_page(found), encoding="utf-8")
    for row in found["measures"]:
        d = row["difference"]
        if d["value"] is not None:
            typer.echo(f"{row['title']}: {d['value']:+.3f} ({d['low']:+.3f} … {d['high']:+.3f}), {row['verdict']}")
    typer.echo(f"report: {folder / 'comparison.html'}")
    typer.echo(found["gate"]["verdict"])
    if not found["gate"]["passed"]:
        raise typer.Exit(GATE_NOT_PASSED)


def _tell(results: Mapping[str, Any]) -> None:
    from bot.evaluation.report import headlines

    for line in headlines(results):
        typer.echo(line)


def _name(model: str) -> str:
    path = Path(model)
    return path.parent.name or path.stem if model.endswith(".json") else path.name or path.resolve().name

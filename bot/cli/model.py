"""parley model: which model answers, chosen while Parley runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, JsonOption, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.checks import Checked
    from bot.config import Loaded
    from bot.models.gate import Verdict
    from bot.types import ModelChoice

GATE_NOT_PASSED = 3

cli = typer.Typer(
    name="model",
    help="Choose the model that answers, while Parley runs: every replica goes over to it with the next turn.\n\n"
    "Examples: `parley model use runs/mine/model`, `parley model rollback`",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cli.command()
def use(
    model: Annotated[str, typer.Argument(help="A folder, a hub id, `starter`, or the name of one used before.")],
    force: Annotated[bool, typer.Option("--force", help="Take it without asking the personas' checks.")] = False,
    comparison: Annotated[
        Path | None, typer.Option(help="The comparison.json of `parley eval CURRENT THIS`: it must say to take it.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Let another model answer from the next turn on.

    It must load, and pass the gate: fail none of the personas' `checks` that the current one passes. Exit code 3 where
    it does not. On a server with several replicas each must find it under this name.

    Examples: `parley model use runs/acme/model`, `parley model use starter --force`
    """
    import asyncio

    from bot.cli.logs import configure

    loaded = settings(config, {})
    configure(loaded.settings.log, quiet=True)
    chosen, verdict = asyncio.run(_use(loaded, model, force=force, comparison=comparison))
    for line in verdict.why:
        typer.echo(f"  {line}")
    if not verdict.passed:
        typer.echo(f"{chosen} {verdict.said}: the model stays; --force takes it all the same")
        raise typer.Exit(GATE_NOT_PASSED)
    typer.echo(f"{chosen} answers from the next turn on ({verdict.said}); `parley model rollback` takes it back")


@cli.command()
def rollback(config: ConfigOption = None) -> None:
    """Go back to the model that answered before.

    Example: `parley model rollback`
    """
    import asyncio

    from bot.cli.logs import configure

    loaded = settings(config, {})
    configure(loaded.settings.log, quiet=True)
    undone, before = asyncio.run(_rollback(loaded))
    if undone is None:
        typer.echo(f"Nobody has chosen a model: {_base(loaded)} answers, as the settings say.")
        raise typer.Exit(1)
    typer.echo(f"{before.model if before else _base(loaded)} answers again; {undone.model} was taken back")


@cli.command()
def show(config: ConfigOption = None) -> None:
    """Show the model that answers, and why.

    Example: `parley model show`
    """
    loaded = settings(config, {})
    found = _history(loaded)
    current = next((choice for choice in found if choice.undone_at is None), None)
    if current is None:
        typer.echo(f"{_base(loaded)}, as the settings say ({loaded.origin('engine.model')})")
    else:
        typer.echo(f"{current.model}, chosen {current.at.astimezone():%Y-%m-%d %H:%M}: {current.note}")


@cli.command(name="list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the models that were chosen, the newest first; the one of the settings last.

    Examples: `parley model list`, `parley model list --json`
    """
    loaded = settings(config, {})
    found = _history(loaded)
    if json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps({"settings": _base(loaded), "chosen": [asdict(one) for one in found]}, indent=2, default=str))
        return
    current = next((choice.id for choice in found if choice.undone_at is None), None)
    for one in found:
        state = f"taken back {one.undone_at.astimezone():%Y-%m-%d %H:%M}" if one.undone_at else one.note
        typer.echo(f"{'*' if one.id == current else ' '} {one.at.astimezone():%Y-%m-%d %H:%M}  {one.model}  {state}")
    typer.echo(f"{' ' if current else '*'} {'the settings':16}  {_base(loaded)}")


def _base(loaded: "Loaded") -> str:
    """The model of the settings, as it is written there."""
    from bot.plugins import find

    section = loaded.section("engine", find("parley.engines", loaded.settings.engine["use"]))
    return str(getattr(section, "model", loaded.settings.engine["use"]))


def _history(loaded: "Loaded") -> "Sequence[ModelChoice]":
    import asyncio

    from bot.app import open_beside
    from bot.cli.logs import configure

    configure(loaded.settings.log, quiet=True)

    async def read() -> "Sequence[ModelChoice]":
        async with open_beside(loaded) as store:
            return await store.models.history()

    return asyncio.run(read())


async def _use(loaded: "Loaded", model: str, *, force: bool, comparison: Path | None) -> "tuple[str, Verdict]":
    """What was chosen under its whole name, and the verdict; nothing is changed where that is against it."""
    from bot.app import open_beside
    from bot.errors import ConfigError

    async with open_beside(loaded) as store:
        known = await store.models.history()
    current = next((choice.model for choice in known if choice.undone_at is None), None)
    chosen = _whole(model, known)
    if chosen == (current or _base(loaded)):
        raise ConfigError(f"{chosen} answers already")
    verdict = await _tried(loaded, chosen, current=current, force=force, comparison=comparison)
    if verdict.passed:
        async with open_beside(loaded) as store:
            await store.models.use(chosen, note=verdict.said)
        await _tell(loaded)
    return chosen, verdict


def _whole(model: str, known: "Sequence[ModelChoice]") -> str:
    """A folder by its whole path; one used before by its name, which for `runs/acme/model` is `acme`."""
    path = Path(model).expanduser()
    if model != "starter" and path.exists():
        return str(path.resolve())

    def name(choice: str) -> str:
        used = Path(choice)
        return used.parent.name if used.name == "model" else used.name

    return next((choice.model for choice in known if name(choice.model) == model), model)


async def _tried(
    loaded: "Loaded", chosen: str, *, current: str | None, force: bool, comparison: Path | None
) -> "Verdict":
    """Raises what loading the model raises, ConfigError where there is nothing to judge it by."""
    from bot.models.gate import Verdict, judge, read_comparison

    compared = None if comparison is None else read_comparison(comparison, candidate=chosen)
    if force:
        await _asked(loaded, chosen, ask=False)
        return Verdict(passed=True, said="by force")
    if compared is not None and not compared.passed:
        return compared
    new = await _asked(loaded, chosen)
    verdict = judge(await _asked(loaded, current), new)
    if compared is None or not verdict.passed:
        return verdict
    return Verdict(passed=True, said=f"{verdict.said}; {compared.said}")


async def _asked(loaded: "Loaded", model: str | None, *, ask: bool = True) -> "Sequence[Checked]":
    """Load a model, and its answers to the personas' checks."""
    from datetime import datetime

    from bot.app import open_catalog, open_engine
    from bot.checks import run_checks, with_checks
    from bot.knowledge import Library
    from bot.models import until_ready

    personas = with_checks(open_catalog(loaded.settings).all()) if ask else ()
    knowledge = Library()
    zone = loaded.settings.zone
    async with open_engine(loaded, model) as engine:
        await knowledge.refresh(personas)
        await until_ready(engine)
        return await run_checks(personas, engine=engine, knowledge=knowledge, now=lambda: datetime.now(zone))


async def _rollback(loaded: "Loaded") -> "tuple[ModelChoice | None, ModelChoice | None]":
    """The choice that was taken back, and the one that counts now."""
    from bot.app import open_beside

    async with open_beside(loaded) as store:
        undone = await store.models.rollback()
        before = await store.models.current()
    if undone is not None:
        await _tell(loaded)
    return undone, before


async def _tell(loaded: "Loaded") -> None:
    """Let the replicas look at once; where no bus reaches them they look by themselves."""
    from contextlib import suppress

    from bot.app import open_shared
    from bot.models import TOPIC

    with suppress(ConnectionError):
        async with open_shared(loaded) as shared:
            await shared.bus.publish(TOPIC, "")

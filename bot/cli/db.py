"""parley db: the tables' revisions, where they are changed by hand."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, settings

if TYPE_CHECKING:
    from pathlib import Path

    from bot.ports import Migrations

cli = typer.Typer(
    name="db",
    help="Bring the database's tables to another revision. With `store.migrate: auto`, the default, Parley does it "
    "itself when it starts.\n\nExamples: `parley db current`, `parley db upgrade`, `parley db downgrade 0001`",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cli.command()
def current(config: ConfigOption = None) -> None:
    """Show the revision the database is at.

    Example: `parley db current`
    """
    import asyncio

    typer.echo(asyncio.run(_migrations(config).current()) or "none: the database is empty")


@cli.command()
def upgrade(
    revision: Annotated[str, typer.Argument(help="A revision; the newest by default.")] = "head",
    config: ConfigOption = None,
) -> None:
    """Bring the tables up to date.

    Examples: `parley db upgrade`, `parley db upgrade 0002`
    """
    import asyncio

    migrations = _migrations(config)

    async def change() -> None:
        before = await migrations.current()
        await migrations.upgrade(revision)
        _tell(before, await migrations.current())

    asyncio.run(change())


@cli.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="The revision to go back to; `base` deletes every table.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    config: ConfigOption = None,
) -> None:
    """Take the tables back to an older revision, for an older Parley.

    What only the newer revisions hold is deleted; you are asked first.

    Examples: `parley db downgrade 0001`, `parley db downgrade base --yes`
    """
    import asyncio

    migrations = _migrations(config)
    lost = asyncio.run(migrations.lost(revision))
    if lost and not yes:
        typer.echo("This deletes for good what these revisions hold:\n" + "\n".join(f"  {what}" for what in lost))
        if not typer.confirm("Go on?"):
            typer.echo("Nothing was changed.")
            raise typer.Exit(1)

    async def change() -> None:
        before = await migrations.current()
        await migrations.downgrade(revision)
        _tell(before, await migrations.current())

    asyncio.run(change())


def _migrations(config: "Path | None") -> "Migrations":
    from bot.errors import ConfigError
    from bot.plugins import find
    from bot.ports import StorePlugin

    loaded = settings(config, {})
    name = loaded.settings.store["use"]
    plugin = find("parley.stores", name)
    if not isinstance(plugin, StorePlugin):
        raise ConfigError(f"the store {name!r} has no revisions to change")
    return plugin.migrations(loaded.section("store", plugin))


def _tell(before: str | None, after: str | None) -> None:
    if before == after:
        typer.echo(f"The tables are at revision {after or 'none'} already.")
    else:
        typer.echo(f"The tables were at revision {before or 'none'} and are now at {after or 'none'}.")

"""parley turns: what was set aside, and bringing it back."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, JsonOption, settings

if TYPE_CHECKING:
    from bot.types import FailedTurn

cli = typer.Typer(
    name="turns",
    help="Turns that failed or could not be shown: list them, try them again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cli.command()
def failed(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many, the newest.")] = 20,
    json: JsonOption = False,
) -> None:
    """List the newest turns that failed, or whose reply could not be shown.

    Examples: `parley turns failed`, `parley turns failed --limit 100 --json`
    """
    import asyncio

    from bot.app import open_store

    loaded = settings(config, {})

    async def read() -> "tuple[FailedTurn, ...]":
        async with open_store(loaded) as store:
            return await store.failures.newest(limit=limit)

    found = asyncio.run(read())
    if json:
        _print_json(found)
    elif not found:
        typer.echo("No turn has failed.")
    for turn in () if json else found:
        what = "not shown" if turn.undelivered else "failed"
        question = " ".join(turn.question.split())
        typer.echo(f"{turn.turn}  {turn.at.astimezone():%Y-%m-%d %H:%M}  {what:9}  {turn.persona}: {question[:60]}")
        typer.echo(f"{'':22}{turn.conversation.encode()}: {turn.error}")


@cli.command()
def retry(
    turn: Annotated[list[str], typer.Argument(help="Ids from `parley turns failed`.", metavar="TURN...")],
    config: ConfigOption = None,
) -> None:
    """Ask failed questions again, or send replies again that were not shown.

    Example: `parley turns retry 01m87wv5dpgpkb7m5yfd`
    """
    import asyncio

    from bot.app import open_store
    from bot.errors import UnknownTurn

    loaded = settings(config, {})

    async def again() -> list[str]:
        async with open_store(loaded) as store:
            waiting = [await store.failures.retry(one) for one in turn]
        for one, found in zip(turn, waiting, strict=True):
            if found is None:
                raise UnknownTurn(one, hint="`parley turns failed` lists those that can be tried again")
        return [found for found in waiting if found is not None]

    for one, waiting in zip(turn, asyncio.run(again()), strict=True):
        typer.echo(f"{one} waits again" + ("" if one == waiting else f" as {waiting}"))


def _print_json(found: "tuple[FailedTurn, ...]") -> None:
    import json
    from dataclasses import asdict

    rows = [asdict(turn) | {"conversation": turn.conversation.encode(), "at": turn.at.isoformat()} for turn in found]
    typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))

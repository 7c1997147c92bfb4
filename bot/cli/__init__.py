"""The command line: one module a command. Commands import what they need when they run, so that --help is quick."""

import sys
from typing import Annotated

import typer

from bot.cli import (
    ask,
    bench,
    chat,
    check,
    db,
    discord,
    doctor,
    erase,
    evaluate,
    export,
    init,
    jobs,
    model,
    run,
    schema,
    serve_engine,
    slack,
    stats,
    train,
    turns,
)
from bot.errors import Interrupted, ParleyError

cli = typer.Typer(
    name="parley",
    help="Put a GPT you run yourself in front of people: in Slack, in Discord, on a website, in a terminal.",
    epilog="Start here: `parley run` serves the built-in personas; `parley init` writes files to edit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (run, chat, ask, init, check, schema, doctor, bench, serve_engine, jobs, stats, export, erase):
    cli.command()(getattr(module, module.__name__.rpartition(".")[2]))
cli.command("eval")(evaluate.evaluate)
for group in (train, model, db, turns, slack, discord):
    cli.add_typer(group.cli)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"parley {version('parley')}")
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command.

    Exit codes: 0 done, 1 an error said in one line, 2 wrong usage, 3 a gate not passed, 130 interrupted.
    """
    try:
        cli()
    except* Interrupted:
        raise SystemExit(130) from None
    except* ParleyError as errors:
        for line in dict.fromkeys(str(error) for error in _leaves(errors)):
            print(f"parley: {line}", file=sys.stderr)
        raise SystemExit(1) from None
    except* KeyboardInterrupt:
        raise SystemExit(130) from None
    except* BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None


def _leaves(group: BaseExceptionGroup[ParleyError]) -> list[ParleyError]:
    found: list[ParleyError] = []
    for error in group.exceptions:
        found.extend(_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found

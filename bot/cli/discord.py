"""parley discord: what is needed to set the bot up."""

import typer

from bot.cli.options import ConfigOption
from bot.cli.papers import paper

cli = typer.Typer(
    name="discord",
    help="Set up the Discord bot.\n\nExample: `parley discord invite`",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cli.callback()
def _group() -> None:
    pass


@cli.command()
def invite(config: ConfigOption = None) -> None:
    """Print the link that adds the bot to a server, with exactly the scopes and permissions that it uses.

    Examples: `parley discord invite`, `parley discord invite --config parley.yaml`
    """
    typer.echo(paper("discord", "invite", config))

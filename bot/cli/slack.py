"""parley slack: what is needed to set the app up."""

import typer

from bot.cli.options import ConfigOption
from bot.cli.papers import paper

cli = typer.Typer(
    name="slack",
    help="Set up the Slack app.\n\nExample: `parley slack manifest > manifest.json`",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@cli.callback()
def _group() -> None:
    pass


@cli.command()
def manifest(config: ConfigOption = None) -> None:
    """Print the app's manifest, to paste at https://api.slack.com/apps under "Create New App", "From a manifest".

    Examples: `parley slack manifest`, `parley slack manifest --config parley.yaml`
    """
    typer.echo(paper("slack", "manifest", config))

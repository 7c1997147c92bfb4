"""parley chat: a conversation in the terminal."""

from typing import Annotated

import typer

from bot.cli.options import ConfigOption, ModelOption, settings


def chat(
    persona: Annotated[str, typer.Argument(help="Which persona answers.")] = "support",
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Chat with a persona in the terminal.

    Ctrl-C stops a reply, Ctrl-D leaves; /help lists the commands.

    Examples: `parley chat`, `parley chat tutor`, `parley chat storyteller --model ./my-model`
    """
    from bot.cli.logs import configure
    from bot.cli.serving import serve_console

    flags: dict[str, tuple[str, object]] = {
        "channels.console.persona": ("persona", persona),
        "engine.model": ("--model", model),
    }
    loaded = settings(config, flags)
    configure(loaded.settings.log, quiet=True)
    serve_console(loaded)

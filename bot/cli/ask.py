"""parley ask: one question, the answer on standard output."""

import sys
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, ModelOption, PersonaOption, settings


def ask(
    question: Annotated[str, typer.Argument(help="The question; `-` reads it from standard input.")] = "-",
    persona: PersonaOption = "support",
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Ask one question and print the answer.

    Examples: `parley ask "How long is the warranty?"`, `echo "什么是光合作用？" | parley ask -p tutor`
    """
    from bot.cli.logs import configure
    from bot.cli.serving import serve_console
    from bot.errors import ConfigError

    text = sys.stdin.read() if question == "-" else question
    if not text.strip():
        raise ConfigError('there is no question: parley ask "How long is the warranty?"')
    flags: dict[str, tuple[str, object]] = {
        "channels.console.persona": ("--persona", persona),
        "channels.console.question": ("question", text.strip()),
        "engine.model": ("--model", model),
    }
    loaded = settings(config, flags)
    configure(loaded.settings.log, quiet=True)
    serve_console(loaded)

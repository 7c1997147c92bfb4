"""parley run: serve every channel of the settings."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, ModelOption, settings

if TYPE_CHECKING:
    from bot.app import App


def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8080 by default, 0 for a free one.")] = None,
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Serve the personas on every channel.

    Examples: `parley run`, `parley run --port 9000`, `parley run --model Qwen/Qwen3-0.6B`
    """
    from bot.cli.logs import configure
    from bot.cli.serving import serve

    flags: dict[str, tuple[str, object]] = {
        "channels.web.host": ("--host", host),
        "channels.web.port": ("--port", port),
        "engine.model": ("--model", model),
    }
    loaded = settings(config, flags)
    configure(loaded.settings.log)
    serve(loaded, on_open=_announce)
    typer.echo("Parley has stopped; every message is kept.")


async def _announce(app: "App") -> None:
    """Say where to go at once, and that the model is ready when it is."""
    from bot.cli.serving import tell_when_ready
    from bot.config import shown
    from bot.ports import HasAddress

    lines = [f"{'Open':10}{channel.address}" for channel in app.channels.values() if isinstance(channel, HasAddress)]
    others = [channel.name for channel in app.channels.values() if not isinstance(channel, HasAddress)]
    if others:
        lines.append(f"{'Also on':10}{', '.join(others)}")
    lines += [
        f"{'Personas':10}{', '.join(persona.name for persona in app.personas.all())}",
        f"{'Data':10}{shown('database_url', app.settings.database_url)}",
        f"{'Model':10}{app.engine.model}",
    ]
    if app.engine.caution:
        lines += [f"{'':10}{line}" for line in app.engine.caution]
    typer.echo("\n".join(("Parley is up. Ctrl-C stops it.", *lines)))
    await tell_when_ready(app.engine)

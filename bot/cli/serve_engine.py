"""parley serve-engine: the engine for other programs, over the OpenAI protocol."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, ModelOption, settings

if TYPE_CHECKING:
    from bot.config import Loaded


def serve_engine(  # noqa: PLR0917 - typer wants them so
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8000 by default, 0 for a free one.")] = None,
    name: Annotated[str | None, typer.Option(help="What callers know the model by; its own name by default.")] = None,
    replicas: Annotated[
        int | None, typer.Option(help="So many engines behind the address, run by Ray: pip install 'parley[ray]'.")
    ] = None,
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Serve the engine alone, over the OpenAI protocol.

    Callers must send the key of the environment variable PARLEY_ENGINE_KEY.

    Examples: `parley serve-engine`, `parley serve-engine --model Qwen/Qwen3-0.6B --host 0.0.0.0`,
    `parley serve-engine --replicas 2`
    """
    import asyncio

    from bot.cli.logs import configure
    from bot.cli.serving import new_loop
    from bot.fleet import is_fleet

    flags: dict[str, tuple[str, object]] = {
        "serve.use": ("--replicas", None if replicas is None else "ray"),
        "serve.replicas": ("--replicas", replicas),
        "serve.host": ("--host", host),
        "serve.port": ("--port", port),
        "serve.name": ("--name", name),
        "engine.model": ("--model", model),
    }
    loaded = settings(config, flags)
    configure(loaded.settings.log)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve_fleet(loaded) if is_fleet(loaded) else _serve(loaded))


async def _serve(loaded: "Loaded") -> None:
    import asyncio
    import signal

    from bot.app import open_engine, open_engine_server
    from bot.cli.serving import tell_when_ready

    loop = asyncio.get_running_loop()
    async with (
        open_engine(loaded) as engine,
        open_engine_server(loaded, engine) as server,
        asyncio.TaskGroup() as group,
    ):
        serving = group.create_task(server.serve())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, serving.cancel)
        lines = ("The engine is up. Ctrl-C stops it.", f"{'Open':10}{server.address}", f"{'Model':10}{engine.model}")
        typer.echo("\n".join(lines))
        telling = group.create_task(tell_when_ready(engine))
        await asyncio.wait({serving})
        telling.cancel()
    typer.echo("The engine has stopped.")


async def _serve_fleet(loaded: "Loaded") -> None:
    import asyncio
    import signal
    import time

    from bot.fleet import open_fleet

    loop = asyncio.get_running_loop()
    began = time.monotonic()
    typer.echo("Ray is starting, which takes a while. Ctrl-C stops it.")
    async with open_fleet(loaded) as server, asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve())
        typer.echo(f"{'Open':10}{server.address}")

        async def tell() -> None:
            typer.echo(f"{await server.ready()} replicas are ready ({time.monotonic() - began:.1f} s).")

        telling = group.create_task(tell())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, serving.cancel)
        await asyncio.wait({serving})
        telling.cancel()
    typer.echo("The engines have stopped.")

"""parley doctor: what is in force, where it came from, and what is wrong."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.options import ConfigOption, ModelOption, settings

if TYPE_CHECKING:
    from bot.config import Loaded


def doctor(config: ConfigOption = None, model: ModelOption = None) -> None:
    """Show the settings in force, and what is wrong.

    Each setting comes with its source; database, model, personas and port are checked.

    Examples: `parley doctor`, `parley doctor --config staging.yaml`
    """
    import asyncio

    loaded = settings(config, {"engine.model": ("--model", model)})
    typer.echo("Settings")
    for path, value in _values(loaded):
        typer.echo(f"  {path:38}  {value:40}  {loaded.origin(path)}")
    typer.echo("Checks")
    if not asyncio.run(_checks(loaded)):
        raise typer.Exit(1)


def _values(loaded: "Loaded") -> Iterator[tuple[str, str]]:
    """Every setting by its dotted path, parts with the defaults of their plugins."""
    from bot.config import shown
    from bot.plugins import find

    dumped = loaded.settings.model_dump()
    sections = {
        "store": ("parley.stores", dumped.pop("store")["use"]),
        "bus": ("parley.buses", dumped.pop("bus")["use"]),
        "engine": ("parley.engines", dumped.pop("engine")["use"]),
        "serve": ("parley.servers", dumped.pop("serve")["use"]),
        **{f"channels.{name}": ("parley.channels", name) for name in dumped.pop("channels")},
    }
    yield from ((path, shown(path, value)) for path, value in _flat(dumped, ""))
    for section, (group, name) in sections.items():
        yield f"{section}.use", name
        part = loaded.section(section, find(group, name))  # type: ignore[arg-type] # the five groups above
        yield from ((path, shown(path, value)) for path, value in _flat(part.model_dump(), f"{section}."))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


async def _checks(loaded: "Loaded") -> bool:
    import platform
    import socket
    from contextlib import AsyncExitStack

    from bot.errors import ParleyError
    from bot.personas import check
    from bot.plugins import find
    from bot.ports import HasEndpoints, Plugin

    well = True

    def tell(name: str, wrong: str | None, good: str = "ok") -> None:
        nonlocal well
        well = well and wrong is None
        typer.echo(f"  {name:12}{good if wrong is None else 'wrong: ' + wrong}")

    tell("python", None, platform.python_version())
    async with AsyncExitStack() as stack:
        for name, group, section in (
            ("database", "parley.stores", "store"),
            ("bus", "parley.buses", "bus"),
            ("model", "parley.engines", "engine"),
        ):
            try:
                plugin = find(group, getattr(loaded.settings, section)["use"])  # type: ignore[arg-type] # as above
                if not isinstance(plugin, Plugin):
                    raise TypeError(f"{plugin!r} is no part")
                part = await stack.enter_async_context(plugin.open(loaded.section(section, plugin)))
                tell(name, None, part.model if name == "model" else "ok")
                for endpoint, wrong in (await part.probe() if isinstance(part, HasEndpoints) else {}).items():
                    tell("endpoint", wrong, f"{endpoint} answers")
            except ParleyError as error:
                tell(name, str(error))
    folder = loaded.settings.personas
    if folder.is_dir():
        report = check([folder], language=loaded.settings.language)
        errors = [problem for problem in report.problems if problem.severity == "error"]
        tell("personas", str(errors[0]) if errors else None, f"{report.checked} in {folder}")
    else:
        tell("personas", None, f"built-in (there is no folder {folder})")
    for name in loaded.settings.channels:
        part = loaded.section(f"channels.{name}", find("parley.channels", name))
        port = getattr(part, "port", 0)
        if port:
            with socket.socket() as probe:
                taken = probe.connect_ex((part.host, port)) == 0
            tell(
                f"port {port}", "something listens there already; choose another with --port" if taken else None, "free"
            )
    return well

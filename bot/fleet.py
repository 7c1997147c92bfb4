"""The engine in replicas: what each of them opens, and the application for clusters that are there already.

`serve run bot.fleet:app config=/etc/parley/parley.yaml`, or as `import_path` of a Ray Serve config file.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bot.config import Loaded, load
from bot.errors import ConfigError, UnknownPlugin
from bot.models import until_ready
from bot.plugins import find
from bot.ports import Engine, FleetPlugin, FleetServer, OpenEngine, Plugin


def open_fleet(loaded: Loaded) -> AbstractAsyncContextManager[FleetServer]:
    """Engines of the settings behind one address. Raises ConfigError, UnknownPlugin."""
    plugin = _plugin(loaded.settings.serve["use"])
    opened: AbstractAsyncContextManager[FleetServer] = plugin.open(loaded.section("serve", plugin), _opener(loaded))
    return opened


def is_fleet(loaded: Loaded) -> bool:
    """Whether the settings ask for replicas. Raises UnknownPlugin."""
    return isinstance(find("parley.servers", loaded.settings.serve["use"]), FleetPlugin)


def app(args: Mapping[str, str]) -> Any:
    """The application for Ray Serve. `config` in `args` names the settings file, by default parley.yaml in the current
    folder; the environment counts as well. Raises ConfigError."""
    if unknown := sorted(set(args) - {"config"}):
        raise ConfigError(f"unknown argument {unknown[0]!r}; known here: config")
    loaded = load(Path(args["config"]) if "config" in args else None, flags={"serve.use": ("bot.fleet:app", "ray")})
    plugin = _plugin("ray")
    return plugin.deployment(loaded.section("serve", plugin), _opener(loaded))


@asynccontextmanager
async def open_ready(name: str, settings: Any) -> AsyncIterator[Engine]:
    """The engine `name`, when it can answer. Raises ModelRefused, ConfigError, EngineDied."""
    async with _engine(name).open(settings) as engine:
        await until_ready(engine)
        yield engine


def _opener(loaded: Loaded) -> OpenEngine:
    """With the engine's settings alone, so that no other part's secrets travel."""
    name = loaded.settings.engine["use"]
    return partial(open_ready, name, loaded.section("engine", _engine(name)))


def _engine(name: str) -> Plugin[Any, Engine]:
    plugin = find("parley.engines", name)
    if not isinstance(plugin, Plugin):
        raise UnknownPlugin(name, hint="it is no part of parley.engines")
    return plugin


def _plugin(name: str) -> FleetPlugin[Any]:
    plugin = find("parley.servers", name)
    if not isinstance(plugin, FleetPlugin):
        raise UnknownPlugin(name, hint="it serves one engine, no replicas")
    return plugin

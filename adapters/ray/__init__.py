"""The engine in replicas: as many as wanted behind one address, each a process of its own, run by Ray Serve."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.ray.settings import RaySettings
from bot.errors import ConfigError
from bot.ports import FleetPlugin, FleetServer, OpenEngine

__all__ = ["RaySettings", "plugin"]

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is reported to anyone
    "RAY_AUTH_MODE": "token",  # asked for on Ray's own ports, which every network reaches
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",  # on a busy machine 5 s is too short, and it would never start
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",  # likewise
    "GRPC_VERBOSITY": "ERROR",
}


@asynccontextmanager
async def _open(settings: RaySettings, engine: OpenEngine) -> AsyncIterator[FleetServer]:
    os.environ.update(ENVIRONMENT)  # here, because Ray reads it when it is imported
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    try:
        from adapters.ray.server import open_server  # noqa: PLC0415 - Ray is an extra, and slow to import
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    async with open_server(settings, engine) as server:
        yield server


def _deployment(settings: RaySettings, engine: OpenEngine) -> Any:
    try:
        from adapters.ray.deployment import application  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return application(settings, engine)


def _missing(error: ModuleNotFoundError) -> ConfigError:
    return ConfigError(f"replicas of the engine need {error.name}; install it with: pip install 'parley[ray]'")


plugin: FleetPlugin[RaySettings] = FleetPlugin(settings=RaySettings, open=_open, deployment=_deployment)

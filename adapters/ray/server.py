"""`parley serve-engine --replicas N`: a Ray of its own on this machine, ended with it."""

import asyncio
import logging
import math
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import ray
import structlog
from ray import serve

from adapters.openai.access import key_from
from adapters.ray.deployment import NAME, QUIET, application
from adapters.ray.settings import RaySettings
from adapters.shared.serving import bind, url_of
from bot.errors import EngineDied, ModelRefused
from bot.ports import OpenEngine

APPLICATION = "parley"
OBJECTS = 128 << 20
"""Bytes of shared memory for what passes between Ray's processes: requests and pieces of answers."""
LOOK_SECONDS = 0.5
CAUSE = re.compile(r"^[\w.]*(?:Error|Refused|Died|Exception): (.+)$", re.MULTILINE)

log = structlog.stdlib.get_logger()


class RayServer:
    def __init__(self, settings: RaySettings, *, url: str) -> None:
        self._settings = settings
        self.address = f"{url}/v1"

    async def ready(self) -> int:
        while True:
            look = await self._look()
            if look.failed:
                raise ModelRefused(f"the replicas cannot be started: {look.said}")
            if look.ready:
                return look.running
            await asyncio.sleep(LOOK_SECONDS)

    async def serve(self) -> None:
        before: Look | None = None
        while True:
            look = await self._look()
            if before is not None and look != before:
                log.log(
                    logging.INFO if look.ready else logging.WARNING, "replicas", running=look.running, said=look.said
                )
            if before is not None or look.ready:
                before = look
            await asyncio.sleep(self._settings.health_seconds)

    @staticmethod
    async def _look() -> "Look":
        """Raises EngineDied."""
        try:
            status = await asyncio.to_thread(serve.status)
        except (ray.exceptions.RayError, serve.exceptions.RayServeException) as error:
            raise EngineDied(f"Ray has ended ({type(error).__name__}); start it again") from error
        app = status.applications[APPLICATION]
        engines = app.deployments.get(NAME)
        return Look(
            ready=app.status == "RUNNING" and set(status.proxies.values()) == {"HEALTHY"},
            failed=app.status == "DEPLOY_FAILED",
            running=engines.replica_states.get("RUNNING", 0) if engines else 0,
            said=_cause(engines.message if engines else app.message),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the replicas are, and what Ray says of it."""

    ready: bool
    failed: bool
    running: int
    said: str


@asynccontextmanager
async def open_server(settings: RaySettings, engine: OpenEngine) -> AsyncIterator[RayServer]:
    """With Ray started and the replicas on their way. Raises ConfigError, also where no key is set."""
    key_from(settings.key_env)
    bound = await bind(settings.host, settings.port)
    url, (host, port) = url_of(bound), bound.getsockname()[:2]
    bound.close()  # it was there to choose the port, or to say in time that it is taken
    with TemporaryDirectory(prefix="parley-ray-", ignore_cleanup_errors=True) as folder:
        log.info("Ray keeps its logs there until it ends", folder=f"{folder}/session_latest/logs")
        try:
            await asyncio.to_thread(_start, settings, engine, host=host, port=port, folder=folder)
            yield RayServer(settings, url=url)
        finally:
            await asyncio.to_thread(_stop)


def _start(settings: RaySettings, engine: OpenEngine, *, host: str, port: int, folder: str) -> None:
    wanted = math.ceil((settings.most or settings.replicas) * settings.cpus)
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    ray.init(
        address="local",
        num_cpus=max(wanted, os.cpu_count() or 1),
        object_store_memory=OBJECTS,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=folder,
    )
    with suppress(TimeoutError, ray.exceptions.RayError):  # it waits a minute; a busy machine may take longer
        serve.start(proxy_location="HeadOnly", http_options={"host": host, "port": port}, logging_config=QUIET)
    target = serve.RunTarget(application(settings, engine), name=APPLICATION, route_prefix="/")
    serve.run_many([target], wait_for_applications_running=False)


def _stop() -> None:
    """Replicas end first, with what they have under way."""
    if ray.is_initialized():
        with suppress(ray.exceptions.RayError, serve.exceptions.RayServeException, TimeoutError):
            serve.delete(APPLICATION)
    ray.shutdown()


def _cause(message: str) -> str:
    """The last error in a traceback, else the first line."""
    found = CAUSE.findall(message)
    return str(found[-1]) if found else message.strip().partition("\n")[0]

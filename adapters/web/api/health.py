"""How the server is, for probes and for Prometheus."""

import asyncio

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from adapters.web.desk import Desk
from adapters.web.problems import Fault, documented, respond

READY_SECONDS = 5


class Alive(BaseModel):
    status: str = "ok"


class Ready(BaseModel):
    status: str = "ready"
    parts: list[str]
    degraded: list[Fault] = Field(default=[], description="Parts that only make it fast, and what is wrong with them.")


class _MetricsType(Response):
    media_type = "text/plain"


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def alive() -> Alive:
        """The process runs and answers."""
        return Alive()

    @router.get("/readyz", response_model=Ready, responses=documented(503))
    async def ready() -> Response:
        """Database and engine answer. If not, `errors` names the parts that do not; without the bus it is slower."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                parts = await desk.core.ready()
        except TimeoutError:
            return respond(503, "not-ready", f"the parts did not answer within {READY_SECONDS} s")
        wrong = [Fault(at=part, message=fault) for part, fault in parts.items() if fault is not None and part != "bus"]
        if desk.streams.closing:
            wrong.append(Fault(at="server", message="it is shutting down"))
        if wrong:
            detail = "; ".join(f"{fault.at}: {fault.message}" for fault in wrong)
            return respond(503, "not-ready", detail, errors=wrong)
        slow = [Fault(at="bus", message=fault)] if (fault := parts.get("bus")) is not None else []
        return JSONResponse(Ready(parts=list(parts), degraded=slow).model_dump())

    @router.get("/metrics", response_class=_MetricsType)
    async def metrics() -> Response:
        """The figures of this replica in the text format of Prometheus."""
        return Response(desk.metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return router

"""Errors as RFC 9457 problem details: one form for every refusal of this server."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bot.errors import StoreError, UnknownPersona

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

log = structlog.stdlib.get_logger()


class Fault(BaseModel):
    """One fault of a request: where it is and what is wrong."""

    at: str
    message: str


class Problem(BaseModel):
    """`code` names the kind of refusal for programs, `detail` says in a sentence what to do."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[Fault] | None = None


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


def respond(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Fault] | None = None,
) -> JSONResponse:
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        errors=list(errors) if errors else None,
    )
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these statuses, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer everything that goes wrong in `app` with a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UnknownPersona, _unknown_persona)
    app.add_exception_handler(StoreError, _unavailable)
    app.add_exception_handler(Exception, _failed)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refused):
        raise error
    return respond(error.status, error.code, error.detail, headers=error.headers)


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    match error.status_code:
        case 400:
            return respond(422, "unreadable-body", "the body is not JSON in UTF-8")
        case 404:
            return respond(404, "unknown-route", f"there is nothing at {request.url.path}; see /openapi.json")
        case 405:
            detail = f"{request.method} is not possible here; allowed: {(error.headers or {}).get('Allow', '')}"
            return respond(405, "wrong-method", detail, headers=error.headers)
        case status:
            return respond(status, "refused", str(error.detail), headers=error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [Fault(at=".".join(str(part) for part in each["loc"]), message=each["msg"]) for each in error.errors()]
    first = faults[0]
    return respond(422, "invalid", f"{first.at}: {first.message}", errors=faults)


async def _unknown_persona(_: Request, error: Exception) -> JSONResponse:
    return respond(404, "unknown-persona", str(error))


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    log.warning("request refused, the database does not answer", error=str(error))
    detail = f"the database does not answer, nothing was stored; try again in {RETRY_SECONDS} s"
    return respond(503, "unavailable", detail, headers={"Retry-After": str(RETRY_SECONDS)})


async def _failed(_: Request, __: Exception) -> JSONResponse:
    return respond(500, "failed", "this went wrong on our side; it has been logged")

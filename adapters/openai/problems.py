"""Errors in the form that clients of the OpenAI protocol read."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import JSONResponse

from bot.errors import EngineBusy, EngineDied, EngineError, EngineTimeout, ModelRefused, PromptTooLong, RequestRefused

RETRY_SECONDS = 1


class Refused(Exception):
    """A request that is answered with an error. `param` is the field at fault."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param


def body_of(status: int, message: str, *, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    kinds = {401: "authentication_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def respond(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    return JSONResponse(
        body_of(status, message, code=code, param=param), status_code=status, headers=dict(headers or {})
    )


def of_engine(error: EngineError) -> Refused:
    """What an engine's error is to a caller."""
    match error:
        case PromptTooLong():
            return Refused(400, str(error), code="context_length_exceeded", param="messages")
        case RequestRefused():
            return Refused(400, str(error), code="unsupported")
        case EngineBusy():
            return Refused(429, str(error), code="engine_busy")
        case EngineTimeout():
            return Refused(504, str(error), code="engine_timeout")
        case EngineDied():
            return Refused(502, str(error), code="engine_died")
        case ModelRefused():
            return Refused(503, str(error), code="model_refused")
        case _:
            return Refused(503, str(error), code="engine_error")


def of_validation(error: ValidationError) -> Refused:
    """The first fault of a request that is not as it should be."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return Refused(400, f"{param!r} is not known here; leave it out", code="unknown_parameter", param=param)
    if first["type"] == "json_invalid":
        return Refused(400, "the body is not JSON in UTF-8", code="invalid_json")
    said = re.sub(r"^Value error, ", "", first["msg"])
    return Refused(400, f"{param}: {said}", code="invalid_value", param=param)


def retry_after(status: int) -> dict[str, str]:
    return {"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else {}

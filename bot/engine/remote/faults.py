"""What goes wrong with an endpoint, as errors of ours, and whether asking again can help."""

import re
from dataclasses import dataclass
from typing import Literal

from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

from bot.errors import EngineBusy, EngineDied, EngineError, EngineTimeout, ModelRefused, RequestRefused

_TOO_LONG = re.compile(r"context[_ ](?:length|size|window)|maximum context|too many tokens", re.IGNORECASE)
_MOST_SAID = 300

Kind = Literal["down", "busy", "asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`down`: this endpoint does not answer as it should; another may. `busy`: it asks to wait `wait` seconds.
    `asked`: the request itself is at fault, so no endpoint would do better; `too_long` where it is the prompt's size.
    """

    kind: Kind
    error: EngineError
    wait: float = 0.0
    too_long: bool = False


def down(url: str, what: str) -> Fault:
    return Fault(kind="down", error=EngineDied(f"{url} {what}"))


def late(url: str, what: str) -> Fault:
    return Fault(kind="down", error=EngineTimeout(f"{url} {what}"))


def fault_of(url: str, error: OpenAIError, *, key_env: str | None) -> Fault:
    """What an error of the client means."""
    match error:
        case APITimeoutError():
            return late(url, "could not be reached in time")
        case APIConnectionError():
            return down(url, f"cannot be reached: {_said(str(error.__cause__ or error))}")
        case APIStatusError():
            return _status(url, error, key_env)
        case _:
            return down(url, f"broke off: {_said(str(error))}")


def complaint(error: APIStatusError) -> str:
    """What the server said, whatever form its errors have."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("message") or body.get("detail") or body.get("error")
        if isinstance(inner, dict):
            inner = inner.get("message")
        if inner:
            return _said(str(inner))
    return _said(error.message)


def _status(url: str, error: APIStatusError, key_env: str | None) -> Fault:
    status, said = error.status_code, complaint(error)
    asked_wait = _seconds(error.response.headers.get("retry-after"))
    if status == 429 or (status == 503 and asked_wait is not None):
        wait = 1.0 if asked_wait is None else asked_wait
        return Fault(kind="busy", error=EngineBusy(waiting=0), wait=wait)
    if status in (401, 403):
        advice = (
            f"check the variable {key_env}" if key_env else "name the variable that holds its key in engine.key_env"
        )
        return Fault(kind="down", error=ModelRefused(f"{url} refuses the key ({status}); {advice}"))
    if status == 404:
        return Fault(kind="down", error=ModelRefused(f"{url} does not know the model or the path: {said}"))
    if status in (400, 413, 422) and _TOO_LONG.search(f"{error.code} {said}"):
        return Fault(kind="asked", error=EngineError(f"{url}: {said}"), too_long=True)
    if 300 <= status < 500 and status != 408:
        return Fault(kind="asked", error=RequestRefused(f"{url} refuses the request ({status}): {said}"))
    return down(url, f"failed ({status}): {said}")


def _seconds(header: str | None) -> float | None:
    return float(header) if header and re.fullmatch(r"\d{1,6}(?:\.\d{1,6})?", header) else None


def _said(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_SAID else line[: _MOST_SAID - 1] + "…"

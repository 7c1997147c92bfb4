"""Work handed from the event loop to a thread that owns a connection, and what came of it handed back."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError


@dataclass(frozen=True, slots=True)
class Job:
    """The work of one transaction; with `between` work for the driver's connection outside of any."""

    work: Callable[[Any], Any]
    durable: bool
    future: asyncio.Future[Any]
    between: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    error: Exception


def settle(results: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    """Hand results to the tasks that wait for them; runs on the event loop."""
    for future, result in results:
        if future.cancelled():
            continue
        if isinstance(result, Failed):
            future.set_exception(result.error)
        else:
            future.set_result(result)


def cause_of(error: Exception) -> BaseException:
    """The driver's own error, whether SQLAlchemy wrapped it or not."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error

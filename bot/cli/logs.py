"""Where log lines go: standard error, coloured on a terminal, JSON where a collector reads them.

No line holds what people say or who they are: a conversation stands in it as a short hash of its key, and an error
that is not one of Parley's own, whose words nobody knows, as its type and where it was raised.
"""

import hashlib
import logging
import sys
import traceback
from collections.abc import Iterator

import structlog

from bot.config import LogSettings
from bot.errors import ParleyError


def configure(settings: LogSettings, *, quiet: bool = False) -> None:
    """Set up logging for the process. `quiet` shows only errors, for commands whose output is a conversation."""
    level = logging.ERROR if quiet else logging.getLevelNamesMapping()[settings.level.upper()]
    terminal = sys.stderr.isatty()
    as_json = settings.format == "json" or (settings.format == "auto" and not terminal and not quiet)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hash_conversation,
        structlog.processors.ExceptionRenderer(_wordless),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=terminal)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    handler.addFilter(_ours_or_warning)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _ours_or_warning(record: logging.LogRecord) -> bool:
    """Libraries speak only in warnings; some reset their own level when they are imported."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in {"bot", "adapters", "storage"}


def _hash_conversation(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if (key := event.get("conversation")) is not None:
        event["conversation"] = hashlib.blake2b(str(key).encode(), digest_size=6).hexdigest()
    return event


def _wordless(exc_info: structlog.typing.ExcInfo) -> str:
    return "\n".join(_told(exc_info[1]))


def _told(error: BaseException) -> Iterator[str]:
    """The error and what led to it, the first one first: places in the code, types, and Parley's own sentences."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _told(before)
    yield from (f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__))
    yield f"{type(error).__name__}: {error}" if isinstance(error, ParleyError) else type(error).__name__
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _told(inner)

"""Where log lines go: standard error, coloured on a terminal, JSON where a collector reads them."""

import logging
import sys

import structlog

from bot.config import LogSettings


def configure(settings: LogSettings, *, quiet: bool = False) -> None:
    """Set up logging for the process. `quiet` shows only errors, for commands whose output is a conversation."""
    level = logging.ERROR if quiet else logging.getLevelNamesMapping()[settings.level.upper()]
    terminal = sys.stderr.isatty()
    as_json = settings.format == "json" or (settings.format == "auto" and not terminal and not quiet)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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

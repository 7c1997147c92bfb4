"""What the routes share. `engine_key` opens the engine to other programs; None keeps it closed."""

from dataclasses import dataclass

from adapters.web.access import Access
from adapters.web.metrics import Metrics
from adapters.web.settings import WebSettings
from adapters.web.streams import Streams
from bot.ports import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    core: Core
    settings: WebSettings
    access: Access
    streams: Streams
    metrics: Metrics
    engine_key: str | None

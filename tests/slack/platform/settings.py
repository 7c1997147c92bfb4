"""What a test may set about the platform's ways. Durations are in seconds."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Settings:
    """Slack's own figures by default; a test shortens the ones it waits for.

    `stream_chars` is the size at which Slack closes a stream with `msg_too_long`. `retry_after` lists the
    waits before each further delivery of an unacknowledged event. `token_seconds` turns token rotation on.
    `enforce_limits` makes the platform answer 429 as Slack's rate limits say, counted over
    `limit_window_seconds`; `throttle_history` is the hard limit of commercial apps outside the Marketplace.
    `scopes` and `events` are those of the app's manifest (`message.im` and the like); None: all there are.
    `echo` delivers the app's own messages back to it, as Slack does. `agent_view` false is the older assistant.
    """

    stream_seconds: float = 300
    stream_chars: int = 40_000
    status_seconds: float = 120
    trigger_seconds: float = 3
    response_url_seconds: float = 1800
    ack_seconds: float = 3
    retry_after: tuple[float, ...] = (0, 60, 300)
    connections: int = 10
    token_seconds: float | None = None
    enforce_limits: bool = False
    limit_window_seconds: float = 60
    throttle_history: bool = False
    agent_view: bool = True
    scopes: frozenset[str] | None = None
    events: frozenset[str] | None = None
    echo: bool = True

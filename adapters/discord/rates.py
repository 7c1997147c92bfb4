"""Discord's rate-limit headers: how long to wait so that what is left lasts."""

import time
from datetime import timedelta
from types import SimpleNamespace

import aiohttp

MOST = 4096


class Rates:
    """Learns from every answer of the REST API, by the method and the room or token in its path."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[int, float]] = {}

    def trace(self) -> aiohttp.TraceConfig:
        """For discord.py's HTTP client."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._learn)
        return config

    def wait(self, method: str, major: str) -> timedelta:
        """The time until the next request of this kind, spread evenly over what the bucket still allows."""
        left, ends = self._left.get((method, major), (1, 0.0))
        return timedelta(seconds=max(0.0, ends - time.monotonic()) / max(1, left))

    async def _learn(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        headers = end.response.headers
        after = headers.get("X-RateLimit-Reset-After")
        if after is None:
            return
        if len(self._left) >= MOST:
            now = time.monotonic()
            self._left = {key: held for key, held in self._left.items() if held[1] > now}
        ends = time.monotonic() + float(after)
        self._left[end.method, major_of(end.url.path)] = (int(headers.get("X-RateLimit-Remaining", 0)), ends)


def major_of(path: str) -> str:
    """The room of `/channels/ROOM/…`, the token of `/webhooks/APPLICATION/TOKEN/…`; empty elsewhere.

    >>> major_of("/api/v10/channels/12/messages/34")
    '12'
    """
    parts = path.split("/")
    for name, place in (("channels", 1), ("webhooks", 2)):
        if name in parts and parts.index(name) + place < len(parts):
            return parts[parts.index(name) + place]
    return ""

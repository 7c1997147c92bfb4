"""Slack's rate limits: a tier's calls a minute per method and token, one posting a second per channel."""

import math
import time
from collections import defaultdict, deque

from tests.slack.platform.errors import RateLimited
from tests.slack.platform.settings import Settings
from tests.slack.platform.things import Json

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
METHODS = {
    "chat.update": 3, "chat.delete": 3, "chat.postEphemeral": 4,
    "chat.startStream": 2, "chat.appendStream": 4, "chat.stopStream": 2,
    "conversations.history": 3, "conversations.replies": 3, "conversations.info": 3,
    "conversations.open": 3, "conversations.members": 4,
    "users.info": 4, "users.list": 2, "team.info": 3,
    "assistant.threads.setTitle": 4, "assistant.threads.setSuggestedPrompts": 4,
    "agents.sessions.setStatus": 3, "agents.sessions.rename": 3,
    "views.publish": 4, "views.open": 4, "views.update": 4, "views.push": 4,
    "files.getUploadURLExternal": 4, "files.completeUploadExternal": 4, "files.info": 4,
    "reactions.add": 3, "reactions.remove": 2, "apps.connections.open": 3,
}  # fmt: skip
THROTTLED = {"conversations.history", "conversations.replies"}
THROTTLED_OBJECTS = 15


class Limits:
    """Counts over a sliding window; a refused call is not counted."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._taken: dict[tuple[str, ...], deque[float]] = defaultdict(deque)

    def take(self, method: str, args: Json, token: str) -> None:
        """Raises RateLimited where Slack would."""
        window = self._settings.limit_window_seconds
        if method in THROTTLED and self._settings.throttle_history:
            self._count((method, token), most=1, window=window)
        elif self._settings.enforce_limits and method == "chat.postMessage":
            self._count((method, token, str(args.get("channel"))), most=1, window=window / 60)
        elif self._settings.enforce_limits and method in METHODS:
            self._count((method, token), most=TIERS[METHODS[method]], window=window)

    def _count(self, key: tuple[str, ...], *, most: int, window: float) -> None:
        now, taken = time.monotonic(), self._taken[key]
        while taken and taken[0] <= now - window:
            taken.popleft()
        if len(taken) >= most:
            raise RateLimited(max(1, math.ceil(taken[0] + window - now)))
        taken.append(now)

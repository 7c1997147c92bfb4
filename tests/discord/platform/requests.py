"""One request of the bot, as the platform took it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """An error answer in Discord's form."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(slots=True, kw_only=True)
class Request:
    """`template` is the path as Discord's documents write it; `files` are attachments by their field's number."""

    method: str
    template: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    files: Mapping[int, tuple[str, bytes]] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)
    status: int = 0

    @property
    def route(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def major(self) -> str:
        """What divides the buckets of a route."""
        names = ("channel_id", "guild_id", "webhook_id", "webhook_token")
        return "+".join(self.parameters[name] for name in names if name in self.parameters)

"""Slash commands, buttons and menus: what a person does, and how the application answers within its times."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.discord.platform.requests import Refused
from tests.discord.platform.world import Json

COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
EPHEMERAL, LOADING = 1 << 6, 1 << 7


@dataclass(slots=True, kw_only=True)
class Use:
    """One use of the application by a person. `message` is the original response once there is one."""

    id: str
    token: str
    channel: Json
    user: Json
    kind: int
    on: Json | None = None
    at: float = field(default_factory=time.monotonic)
    callback: int | None = None
    answered_after: float | None = None
    message: Json | None = None
    choices: list[Json] = field(default_factory=list)
    follow_ups: list[Json] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        """What the original response says now."""
        return str(self.message["content"]) if self.message else ""

    @property
    def ephemeral(self) -> bool:
        return bool(self.message and self.message["flags"] & EPHEMERAL)


@dataclass(slots=True)
class Uses:
    """`patience` is the time to the first answer, `life` the token's, both in seconds."""

    patience: float = 3.0
    life: float = 900.0
    most_follow_ups: int = 1000
    known: dict[str, Use] = field(default_factory=dict)
    late: int = 0

    def add(self, use: Use) -> None:
        self.known[use.token] = use

    def first_answer(self, token: str) -> Use:
        """The use that is answered for the first time, in time."""
        use = self.known.get(token)
        waited = time.monotonic() - use.at if use else 0.0
        if use is None or waited > self.patience:
            self.late += 1
            raise Refused(404, 10062, "Unknown interaction")
        if use.callback is not None:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        use.answered_after = waited
        return use

    def alive(self, token: str) -> Use:
        use = self.known.get(token)
        if use is None or time.monotonic() - use.at > self.life:
            raise Refused(401, 50027, "Invalid Webhook Token")
        if use.callback is None:
            raise Refused(404, 10015, "Unknown Webhook")
        return use


def options_of(command: Json, given: Mapping[str, Any], *, focused: str | None = None) -> list[Json]:
    """The options as an interaction carries them; a required one must be given."""
    named = {option["name"]: option for option in command.get("options", [])}
    unknown = set(given) - set(named)
    missing = [name for name, option in named.items() if option.get("required") and name not in given]
    if unknown or (missing and focused is None):
        raise ValueError(f"options {unknown or missing} of {command['name']!r}")
    return [
        {"name": name, "type": named[name]["type"], "value": value, **({"focused": True} if name == focused else {})}
        for name, value in given.items()
    ]

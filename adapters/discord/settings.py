"""What `channels.discord` in parley.yaml may say."""

import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class DiscordSettings(BaseModel):
    """Ids are Discord's, as text in quotes.

    `guilds` are the servers it answers in, by default all that invited it; `rooms` are channels and forums in which
    every message is for it, mentioned or not. `answers` tells where a mention in a channel is answered. `shards` is
    how many connections share the servers; Discord wants more than one from 2,500 servers on. `edit_seconds` is the
    least time between two edits of a growing reply, where Discord's headers ask for no more. A text file of up to
    `attachment_bytes` becomes part of the message it came with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    token: SecretStr = Field(default="", validate_default=True)
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg/"
    personas: Mapping[str, str] = {"default": "support"}
    guilds: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    answers: Literal["in_place", "thread"] = "in_place"
    shards: int = Field(default=1, ge=1, le=1000)
    edit_seconds: float = Field(default=0.5, gt=0, le=60)
    attachment_bytes: int = Field(default=64 * 1024, ge=0, le=10 * 1024 * 1024)
    lease_seconds: float = Field(default=10.0, ge=0.1, le=15)

    @field_validator("token")
    @classmethod
    def _looks_like_one(cls, token: SecretStr) -> SecretStr:
        if not token.get_secret_value():
            raise ValueError(
                "set DISCORD_TOKEN to the bot's token: discord.com/developers → your application → Bot → Reset Token"
            )
        if application_in(token) is None:
            raise ValueError(
                "this is no bot token: copy it from discord.com/developers → your application → Bot → Reset Token"
            )
        return token

    @field_validator("api_url", "gateway_url")
    @classmethod
    def _whole_url(cls, url: str) -> str:
        if not url.startswith(("http://", "https://", "ws://", "wss://")):
            raise ValueError(f"{url!r} is no URL: write it with its scheme, as https://discord.com/api/v10")
        return url

    @property
    def application(self) -> str:
        """The application's id."""
        return application_in(self.token) or ""

    @property
    def lease(self) -> timedelta:
        """How long a replica that says nothing more keeps its shards."""
        return timedelta(seconds=self.lease_seconds)


def application_in(token: SecretStr) -> str | None:
    """The application's id, with which every bot token begins."""
    head, *rest = token.get_secret_value().split(".")
    try:
        found = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return found if found.isdigit() and len(rest) == 2 and all(rest) else None

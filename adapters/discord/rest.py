"""Discord's REST API for the bot, through discord.py; every replica has it, whoever holds the gateway."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.rates import Rates
from adapters.discord.settings import DiscordSettings
from bot.errors import ConfigError

LONGEST_WAIT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    client: discord.Client
    application: discord.AppInfo
    rates: Rates

    @property
    def me(self) -> int:
        """The bot's own id."""
        return self.client.user.id if self.client.user else 0

    def room(self, room: int) -> discord.PartialMessageable:
        return self.client.get_partial_messageable(room)

    def webhook(self, token: str) -> discord.Webhook:
        """What an interaction is answered through."""
        return discord.Webhook.partial(self.application.id, token, client=self.client)

    def pause(self, method: str, major: str) -> timedelta:
        """How long Discord's headers want us to wait before the next such request."""
        return self.rates.wait(method, major)


@asynccontextmanager
async def open_rest(settings: DiscordSettings) -> AsyncIterator[Rest]:
    """Logged in. Raises ConfigError in one line where the token or the address is wrong."""
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
    logging.getLogger("discord").setLevel(logging.ERROR)  # it warns of voice and of reconnections, which we tell
    rates = Rates()
    client = discord.Client(
        intents=discord.Intents(guilds=True),
        allowed_mentions=discord.AllowedMentions.none(),
        http_trace=rates.trace(),
        max_messages=None,
        max_ratelimit_timeout=LONGEST_WAIT,
    )
    try:
        await client.login(settings.token.get_secret_value())
        yield Rest(client=client, application=await client.application_info(), rates=rates)
    except discord.LoginFailure as error:
        raise ConfigError(
            "Discord does not know this DISCORD_TOKEN: make a new one at discord.com/developers → your application "
            "→ Bot → Reset Token"
        ) from error
    except aiohttp.ClientConnectionError as error:
        raise ConfigError(f"Discord is not reached at {settings.api_url}: {error}") from error
    finally:
        await client.close()

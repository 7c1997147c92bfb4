"""The workspaces that the app is installed in, with the clients to call each."""

import asyncio
from dataclasses import dataclass

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.calls import Refused, asking_client, made, posting_client
from adapters.slack.installations import Installations
from adapters.slack.settings import SlackSettings
from bot.errors import ChannelError, ChannelGone, ConfigError

ROTATE_MINUTES = 120
ONLY = "default"  # the one workspace, where a schedule names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """`post` tries nothing twice, `ask` does."""

    team: str
    bot_user: str
    bot_id: str | None
    token: str
    post: AsyncWebClient
    ask: AsyncWebClient


class Workspaces:
    """The one workspace of the settings, or all that have `installations`."""

    def __init__(self, settings: SlackSettings, installations: Installations | None) -> None:
        self._settings = settings
        self._installations = installations
        self._open: dict[str, Workspace] = {}

    async def check(self) -> None:
        """Raises ConfigError where the tokens are not good."""
        api_url = self._settings.api_url
        if self._settings.bot_token is not None:
            token = self._settings.bot_token.get_secret_value()
            told = await _tried("SLACK_BOT_TOKEN", "auth.test", asking_client(token, api_url))
            self._open[told["team_id"]] = self._workspace(told["team_id"], told["user_id"], told.get("bot_id"), token)
        if self._settings.app_token is not None:
            client = asking_client(self._settings.app_token.get_secret_value(), api_url)
            await _tried("SLACK_APP_TOKEN", "apps.connections.open", client)

    async def get(self, team: str, *, enterprise: str | None = None) -> Workspace:
        """Raises ChannelGone where the app is not installed there."""
        found = self._open.get(team)
        if self._installations is None:
            if team == ONLY:
                return next(iter(self._open.values()))
            if found is None:
                raise ChannelGone(f"Slack's workspace {team} is not that of SLACK_BOT_TOKEN")
            return found
        bot = await self._installations.async_find_bot(enterprise_id=enterprise, team_id=team)
        if bot is None:
            self._open.pop(team, None)
            raise ChannelGone(f"the app is not installed in Slack's workspace {team}")
        if enterprise is not None and bot.is_enterprise_install:
            await self._installations.belongs(team, enterprise)
        if bot.bot_refresh_token is not None:
            rotated = await self._rotator().perform_bot_token_rotation(
                bot=bot, minutes_before_expiration=ROTATE_MINUTES
            )
            if rotated is not None:
                await self._installations.async_save_bot(rotated)
                bot = rotated
        if found is None or found.token != bot.bot_token:
            found = self._open[team] = self._workspace(team, bot.bot_user_id, bot.bot_id, bot.bot_token)
        return found

    async def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """As Bolt asks for each event; None where the app is not installed."""
        if team_id is None:
            return None
        try:
            found = await self.get(team_id, enterprise=enterprise_id)
        except ChannelGone:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_user_id=found.bot_user,
            bot_id=found.bot_id,
            bot_token=found.token,
        )

    async def forget(self, team: str, *, enterprise: str | None) -> None:
        """The app was uninstalled there."""
        self._open.pop(team, None)
        if self._installations is not None:
            await self._installations.async_delete_all(enterprise_id=enterprise, team_id=team)

    def _rotator(self) -> AsyncTokenRotator:
        secret = self._settings.client_secret
        return AsyncTokenRotator(
            client_id=self._settings.client_id or "",
            client_secret=secret.get_secret_value() if secret else "",
            client=asking_client(None, self._settings.api_url),
        )

    def _workspace(self, team: str, bot_user: str, bot_id: str | None, token: str) -> Workspace:
        api_url = self._settings.api_url
        return Workspace(
            team=team,
            bot_user=bot_user,
            bot_id=bot_id,
            token=token,
            post=posting_client(token, api_url),
            ask=asking_client(token, api_url),
        )


async def _tried(name: str, method: str, client: AsyncWebClient) -> dict[str, str]:
    try:
        async with asyncio.timeout(15):
            return await made(method, client.api_call(method))
    except (ChannelGone, Refused) as error:
        raise ConfigError(f"{name} is not accepted by Slack: {error}") from error
    except (ChannelError, TimeoutError) as error:
        raise ConfigError(f"Slack does not answer at {client.base_url}: {error}") from error

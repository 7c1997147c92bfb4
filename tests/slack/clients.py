"""The SDK's own clients and Bolt apps, pointed at the stand-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.platform import SlackPlatform

Json = dict[str, Any]


def web_client(slack: SlackPlatform, token: str | None = None) -> AsyncWebClient:
    """Without the SDK's own retries: a test sees the first answer."""
    return AsyncWebClient(token=slack.bot_token if token is None else token, base_url=slack.api_url, retry_handlers=[])


def bolt_app(slack: SlackPlatform) -> AsyncApp:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    return AsyncApp(client=client, signing_secret=slack.signing_secret)


def listening(slack: SlackPlatform, *types: str) -> tuple[AsyncApp, list[Json]]:
    """An app that keeps the bodies of these events."""
    app, bodies = bolt_app(slack), list[Json]()
    for kind in types:

        @app.event(kind)
        async def keep(body: Json) -> None:
            bodies.append(body)

    return app, bodies


@asynccontextmanager
async def socket_mode(app: AsyncApp, slack: SlackPlatform, *, ping_interval: float = 10) -> AsyncIterator[None]:
    """The app on one Socket Mode connection."""
    opened = slack.sockets.opened
    client = AsyncWebClient(base_url=slack.api_url)
    handler = AsyncSocketModeHandler(app, slack.app_token, web_client=client, ping_interval=ping_interval)
    await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt leaves it untyped
    try:
        await slack.until(lambda: slack.sockets.opened > opened)
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call] # likewise


def error_of(refused: SlackApiError) -> str:
    return str(refused.response["error"])

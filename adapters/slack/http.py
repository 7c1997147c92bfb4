"""Slack over HTTP: events and interactions, signed; and the way to install the app in a workspace."""

from collections.abc import Mapping

from slack_bolt.adapter.starlette.async_handler import (
    AsyncSlackRequestHandler,
    to_async_bolt_request,
    to_starlette_response,
)
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.slack.calls import asking_client
from adapters.slack.desk import Desk
from adapters.slack.installations import Installations, States
from adapters.slack.manifest import BOT_SCOPES
from bot.ports.channels import Asgi

PREFIX = "/slack"
MOST_BYTES = 2 * 2**20


def routes(desk: Desk, app: AsyncApp, installations: Installations | None) -> Mapping[str, Asgi]:
    """What the web server mounts: nothing where events come by Socket Mode and the app is in one workspace."""
    found: list[Route] = []
    if desk.settings.signing_secret is not None:
        handler = AsyncSlackRequestHandler(app)  # Bolt verifies the signature

        async def events(request: Request) -> Response:
            if int(request.headers.get("content-length") or MOST_BYTES + 1) > MOST_BYTES:
                return PlainTextResponse("too large", status_code=413)
            return await handler.handle(request)

        found.append(Route(f"{PREFIX}/events", events, methods=["POST"]))
    if installations is not None:
        flow = _flow(desk, installations)

        async def install(request: Request) -> Response:
            return to_starlette_response(await flow.handle_installation(to_async_bolt_request(request, b"")))

        async def installed(request: Request) -> Response:
            return to_starlette_response(await flow.handle_callback(to_async_bolt_request(request, b"")))

        found.append(Route(flow.install_path, install, methods=["GET"]))
        found.append(Route(flow.redirect_uri_path, installed, methods=["GET"]))
    return {PREFIX: Starlette(routes=found)} if found else {}


def _flow(desk: Desk, installations: Installations) -> AsyncOAuthFlow:
    settings = desk.settings
    secret = settings.client_secret
    return AsyncOAuthFlow(
        client=asking_client(None, settings.api_url),
        settings=AsyncOAuthSettings(
            client_id=settings.client_id,
            client_secret=secret.get_secret_value() if secret else "",
            scopes=list(BOT_SCOPES),
            install_path=f"{PREFIX}/install",
            redirect_uri_path=f"{PREFIX}/oauth_redirect",
            installation_store=installations,
            state_store=States(desk.core.store.vault),
        ),
    )

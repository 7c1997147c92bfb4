"""The door: which Host and Origin may call the API, and the headers that every answer carries."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.origins import LOOPBACK, host_name, is_loopback, is_own
from adapters.web.problems import respond
from adapters.web.settings import WebSettings

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}


class Gate:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        self._origins = frozenset(settings.origins)
        self._hosts: Collection[str] | None = None
        if settings.hosts or is_loopback(settings.host):
            self._hosts = {*LOOPBACK, *settings.hosts, settings.host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        api = scope["path"].startswith(("/api/", "/v1/"))
        origin = headers.get("origin") if api else None
        cross = origin is not None and not is_own(
            origin, scheme=scope["scheme"], host=host, fetch_site=headers.get("sec-fetch-site")
        )

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(MutableHeaders(scope=message), api=api, cross=origin if cross else None)
            await send(message)

        if self._hosts is not None and host_name(host) not in self._hosts:
            detail = f"this server does not answer to the name {host_name(host)!r}; add it to channels.web.hosts"
            await respond(421, "wrong-host", detail)(scope, receive, send)
        elif cross and origin not in self._origins:
            detail = f"pages of {origin!r} may not call this server; add it to channels.web.origins"
            await respond(403, "foreign-origin", detail)(scope, receive, send)
        elif cross and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, dressed)
        else:
            await self._app(scope, receive, dressed)

    @staticmethod
    def _dress(headers: MutableHeaders, *, api: bool, cross: str | None) -> None:
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Cache-Control", "no-store")
        if api:
            headers.add_vary_header("Origin")
        if cross is not None:
            headers["Access-Control-Allow-Origin"] = cross
            headers["Access-Control-Expose-Headers"] = "Retry-After"

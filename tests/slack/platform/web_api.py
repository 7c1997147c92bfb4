"""The Web API's door: arguments, tokens, limits, faults, and the record of every call."""

import asyncio
import base64
import json
import time
from dataclasses import dataclass

from aiohttp import web

from tests.slack.platform.ask import Ask
from tests.slack.platform.cutting import cut
from tests.slack.platform.errors import RateLimited, SlackError
from tests.slack.platform.faults import Fault, Faults
from tests.slack.platform.limits import Limits
from tests.slack.platform.methods import METHODS
from tests.slack.platform.methods.apps import SCOPES, WITHOUT_TOKEN
from tests.slack.platform.scopes import check_scope
from tests.slack.platform.things import Json
from tests.slack.platform.tokens import Token
from tests.slack.platform.workspace import Workspace


@dataclass(slots=True, kw_only=True)
class Call:
    """`at` is monotonic seconds; `connection` tells one client's TCP connection from another.

    `ok` is whether the call took effect, which the client may not have learnt where `fault` is lose_answer.
    """

    method: str
    args: Json
    at: float
    token: str
    connection: str
    ok: bool = False
    error: str | None = None
    status: int = 200
    fault: str | None = None


class WebApi:
    def __init__(self, workspace: Workspace, limits: Limits, faults: Faults) -> None:
        self.calls: list[Call] = []
        self._workspace = workspace
        self._limits = limits
        self._faults = faults

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args, bearer = await _arguments(request)
        call = Call(method=method, args=args, at=time.monotonic(), token=bearer or "", connection=_connection(request))
        self.calls.append(call)
        fault = self._faults.on_call(method)
        call.fault = fault.kind if fault else None
        if fault is not None and fault.kind == "drop":
            return cut(request)
        try:
            answer = self._answer(call, bearer, fault)
        except RateLimited as limited:
            call.error, call.status = "ratelimited", 429
            headers = {"Retry-After": str(limited.retry_after)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if fault is not None and fault.kind == "status":
            call.status, call.error = fault.status, f"http {fault.status}"
            return web.Response(status=fault.status, text="upstream connect error")
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "lose_answer":
            return cut(request)
        return web.json_response(answer, headers={"X-OAuth-Scopes": SCOPES})

    def _answer(self, call: Call, bearer: str | None, fault: Fault | None) -> Json:
        try:
            answer = self._run(call, bearer, fault)
        except SlackError as refused:
            call.error = refused.name
            refusal: Json = {"ok": False, "error": refused.name, **refused.fields}
            return refusal | ({"response_metadata": {"messages": list(refused.details)}} if refused.details else {})
        call.ok = fault is None or fault.kind != "status"
        return {"ok": True} | answer

    def _run(self, call: Call, bearer: str | None, fault: Fault | None) -> Json:
        if call.method not in METHODS:
            raise SlackError("unknown_method")
        token = self._token(call.method, bearer)
        self._limits.take(call.method, call.args, call.token)
        if fault is not None and fault.kind == "rate_limit":
            raise RateLimited(int(fault.seconds))
        if fault is not None and fault.kind == "error":
            raise SlackError(fault.error)
        if fault is not None and fault.kind == "status":
            return {}
        channel = self._workspace.channels.get(str(call.args.get("channel")))
        kind = channel.kind if channel is not None else None
        check_scope(self._workspace.settings.scopes, call.method, call.args, channel_kind=kind)
        ask = Ask(method=call.method, args=call.args, workspace=self._workspace, token=token)
        return METHODS[call.method](ask)

    def _token(self, method: str, bearer: str | None) -> Token | None:
        if method in WITHOUT_TOKEN:
            return None
        token = self._workspace.tokens.check(bearer)
        if (token.kind == "app") != (method == "apps.connections.open"):
            raise SlackError("not_allowed_token_type")
        return token


async def _arguments(request: web.Request) -> tuple[Json, str | None]:
    """The arguments, and the token from the header or from among them."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            body = {}
        args |= body if isinstance(body, dict) else {}
    elif request.method == "POST":
        args |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    bearer = str(args.pop("token", "")) or None
    if scheme == "Bearer":
        bearer = credentials
    elif scheme == "Basic":
        client_id, _, client_secret = base64.b64decode(credentials).decode().partition(":")
        args |= {"client_id": client_id, "client_secret": client_secret}
    return args, bearer


def _connection(request: web.Request) -> str:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return f"{peer[0]}:{peer[1]}" if peer else "closed"

"""The REST API: what the bot may ask for, in the form of Discord's documents."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.discord.platform.faults import Fault
from tests.discord.platform.interactions import CHOICES, DEFERRED, EPHEMERAL, LOADING, MESSAGE, UPDATE, Use
from tests.discord.platform.requests import Refused, Request
from tests.discord.platform.world import DM, FORUM, Json

if TYPE_CHECKING:
    from tests.discord.platform.platform import Platform

Handler = Callable[["Platform", Request], Awaitable[Any]]
ROUTES: dict[tuple[str, str], Handler] = {}
WITHOUT_TOKEN = ("/interactions", "/webhooks")


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ROUTES[method, template] = handler
        return handler

    return register


def install(platform: "Platform", app: web.Application, *, base: str) -> None:
    for (method, template), handler in ROUTES.items():
        path = template.replace("{message_id}", "{message_id:[^/]+}")
        app.router.add_route(method, base + path, _served(platform, template, handler))


def _served(
    platform: "Platform", template: str, handler: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(http: web.Request) -> web.StreamResponse:
        request = Request(
            method=http.method, template=template, parameters=dict(http.match_info), query=dict(http.query), body=None
        )
        platform.requests.append(request)
        try:
            request.body, request.files = await _read(http)
            wait, headers = platform.limits.take(request.route, request.major)
            fault = platform.faults.strike(request)
            if fault is not None and fault.status is not None:
                return _failing(request, fault, headers)
            if fault is not None and not fault.lost:
                return _cut(http)
            if wait > 0:
                return _answer(request, 429, _too_many(wait), {**headers, "Retry-After": f"{wait:.3f}"})
            _authorize(platform, request, http.headers.get("Authorization"))
            platform.checks.body(request)
            result = await handler(platform, request)
            if fault is not None:
                return _cut(http)
            return _answer(request, 204 if result is None else 200, result, headers)
        except Refused as refused:
            return _answer(request, refused.status, {"code": refused.code, "message": refused.message}, {})

    return serve


def _authorize(platform: "Platform", request: Request, given: str | None) -> None:
    if not request.template.startswith(WITHOUT_TOKEN) and given != f"Bot {platform.token}":
        raise Refused(401, 0, "401: Unauthorized")


async def _read(http: web.Request) -> tuple[Any, Mapping[int, tuple[str, bytes]]]:
    if http.content_type != "multipart/form-data":
        text = await http.text()
        return json.loads(text) if text else None, {}
    body: Any = None
    files: dict[int, tuple[str, bytes]] = {}
    for name, value in (await http.post()).items():
        if name == "payload_json":
            body = json.loads(str(value))
        elif isinstance(value, web.FileField):
            files[int(name.removeprefix("files[").removesuffix("]"))] = (value.filename, value.file.read())
    return body, files


def _too_many(wait: float) -> Json:
    return {"message": "You are being rate limited.", "retry_after": wait, "global": False, "code": 0}


def _failing(request: Request, fault: Fault, headers: Mapping[str, str]) -> web.Response:
    if fault.status == 429:
        return _answer(request, 429, _too_many(fault.retry_after), {**headers, "Retry-After": f"{fault.retry_after}"})
    return _answer(request, fault.status or 500, {"code": 0, "message": "a fault"}, headers)


def _answer(request: Request, status: int, body: Any, headers: Mapping[str, str]) -> web.Response:
    request.status = status
    if status == 204:
        return web.Response(status=204, headers=headers)
    # exactly this type: discord.py takes a body with a charset for text
    return web.Response(
        body=json.dumps(body).encode(), status=status, headers={**headers, "Content-Type": "application/json"}
    )


def _cut(http: web.Request) -> web.Response:
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=500)


@route("GET", "/users/@me")
async def me(platform: "Platform", request: Request) -> Json:
    return platform.world.bot


@route("GET", "/oauth2/applications/@me")
async def application(platform: "Platform", request: Request) -> Json:
    return {**platform.world.application, "flags": platform.world.flags}


@route("GET", "/gateway/bot")
async def gateway(platform: "Platform", request: Request) -> Json:
    limit = platform.gateway.start_limit()
    return {"url": platform.gateway.url, "shards": platform.shards, "session_start_limit": limit}


@route("PUT", "/applications/{application_id}/commands")
async def put_commands(platform: "Platform", request: Request) -> list[Json]:
    return _sync(platform, "", request)


@route("PUT", "/applications/{application_id}/guilds/{guild_id}/commands")
async def put_guild_commands(platform: "Platform", request: Request) -> list[Json]:
    return _sync(platform, request.parameters["guild_id"], request)


def _sync(platform: "Platform", guild: str, request: Request) -> list[Json]:
    platform.syncs += 1
    kept = {
        "version": platform.world.ids.next(),
        "application_id": platform.world.application["id"],
        "default_member_permissions": None,
        "description": "",
    }
    commands = [{**kept, **command, "id": platform.world.ids.next()} for command in request.body]
    platform.world.commands[guild] = commands
    return commands


@route("POST", "/users/@me/channels")
async def open_dm(platform: "Platform", request: Request) -> Json:
    return platform.world.dm(platform.world.users[str(request.body["recipient_id"])])


@route("GET", "/channels/{channel_id}")
async def channel(platform: "Platform", request: Request) -> Json:
    return platform.world.channel_of(request.parameters["channel_id"])


@route("GET", "/channels/{channel_id}/messages")
async def history(platform: "Platform", request: Request) -> list[Json]:
    found = platform.world.history(
        request.parameters["channel_id"],
        before=request.query.get("before"),
        after=request.query.get("after"),
        limit=min(int(request.query.get("limit", 50)), 100),
    )
    return [platform.world.visible(message, content=platform.world.content_allowed) for message in found]


@route("GET", "/channels/{channel_id}/messages/{message_id}")
async def message(platform: "Platform", request: Request) -> Json:
    found = platform.world.message_of(request.parameters["channel_id"], request.parameters["message_id"])
    return platform.world.visible(found, content=platform.world.content_allowed)


@route("POST", "/channels/{channel_id}/messages")
async def create(platform: "Platform", request: Request) -> Json:
    channel = platform.world.channel_of(request.parameters["channel_id"])
    if channel["id"] in platform.closed:
        raise Refused(403, 50001, "Missing Access")
    if channel["type"] == FORUM:
        raise Refused(400, 50008, "Cannot send messages in a non-text channel")
    nonce = request.body.get("nonce") if request.body.get("enforce_nonce") else None
    known = platform.remembered(channel["id"], nonce)
    if known is not None:
        platform.deduplicated += 1
        return known
    made = platform.world.post(channel, platform.world.bot, request.body, request.files)
    platform.remember(channel["id"], nonce, made)
    await platform.announce("MESSAGE_CREATE", made)
    return made


@route("PATCH", "/channels/{channel_id}/messages/{message_id}")
async def change(platform: "Platform", request: Request) -> Json:
    found = platform.world.message_of(request.parameters["channel_id"], request.parameters["message_id"])
    if found["author"]["id"] != platform.world.bot["id"]:
        raise Refused(403, 50005, "Cannot edit a message authored by another user")
    return await platform.rewrite(found, request.body, request.files)


@route("DELETE", "/channels/{channel_id}/messages/{message_id}")
async def delete(platform: "Platform", request: Request) -> None:
    found = platform.world.message_of(request.parameters["channel_id"], request.parameters["message_id"])
    await platform.delete(found)


@route("POST", "/channels/{channel_id}/typing")
async def typing(platform: "Platform", request: Request) -> None:
    platform.typing.append(platform.world.channel_of(request.parameters["channel_id"])["id"])


@route("POST", "/channels/{channel_id}/messages/{message_id}/threads")
async def thread_from_message(platform: "Platform", request: Request) -> Json:
    parent = platform.world.channel_of(request.parameters["channel_id"])
    if parent["type"] == DM:
        raise Refused(400, 50024, "Cannot execute action on this channel type")
    platform.world.message_of(parent["id"], request.parameters["message_id"])
    return await platform.thread(
        parent, request.body["name"], thread_id=request.parameters["message_id"], owner=platform.world.bot
    )


@route("POST", "/interactions/{interaction_id}/{interaction_token}/callback")
async def callback(platform: "Platform", request: Request) -> Json | None:
    use = platform.uses.first_answer(request.parameters["interaction_token"])
    use.callback = request.body["type"]
    data = request.body.get("data") or {}
    if use.callback in (MESSAGE, DEFERRED):
        flags = data.get("flags", 0) | (LOADING if use.callback == DEFERRED else 0)
        use.message = await _respond(platform, use, {**data, "flags": flags}, request)
    elif use.callback == UPDATE and use.on is not None:
        use.message = await platform.rewrite(use.on, data, request.files)
    elif use.callback == CHOICES:
        use.choices = data["choices"]
    use.answered.set()
    if request.query.get("with_response") != "1":
        return None
    told = {"id": use.id, "type": use.kind}
    if use.message is None:
        return {"interaction": told, "resource": {"type": use.callback}}
    told["response_message_id"] = use.message["id"]
    return {"interaction": told, "resource": {"type": use.callback, "message": use.message}}


@route("POST", "/webhooks/{webhook_id}/{webhook_token}")
async def follow_up(platform: "Platform", request: Request) -> Json:
    use = platform.uses.alive(request.parameters["webhook_token"])
    if len(use.follow_ups) >= platform.uses.most_follow_ups:
        raise Refused(400, 40094, "The maximum number of follow up messages has been reached")
    made = await _respond(platform, use, request.body, request)
    use.follow_ups.append(made)
    return made


@route("GET", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
async def response(platform: "Platform", request: Request) -> Json:
    return _response_of(platform, request)[1]


@route("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
async def change_response(platform: "Platform", request: Request) -> Json:
    _, found = _response_of(platform, request)
    found["flags"] &= ~LOADING
    return await platform.rewrite(found, request.body, request.files)


@route("DELETE", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}")
async def delete_response(platform: "Platform", request: Request) -> None:
    await platform.delete(_response_of(platform, request)[1])


async def _respond(platform: "Platform", use: Use, body: Mapping[str, Any], request: Request) -> Json:
    made = platform.world.post(use.channel, platform.world.bot, body, request.files)
    made["application_id"] = platform.world.application["id"]
    if made["flags"] & EPHEMERAL:
        del platform.world.messages[use.channel["id"]][made["id"]]  # only the one who asked sees it
    else:
        await platform.announce("MESSAGE_CREATE", made)
    return made


def _response_of(platform: "Platform", request: Request) -> tuple[Use, Json]:
    use = platform.uses.alive(request.parameters["webhook_token"])
    wanted = request.parameters["message_id"]
    for found in (use.message, *use.follow_ups):
        if found is not None and wanted in ("@original", found["id"]):
            return use, found
    raise Refused(404, 10008, "Unknown Message")

"""The platform whole: the server, and what people do on it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from tests.discord.platform import rest
from tests.discord.platform.checks import Checks
from tests.discord.platform.faults import Fault, Faults
from tests.discord.platform.gateway import Gateway
from tests.discord.platform.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, Use, Uses, options_of
from tests.discord.platform.limits import Limits
from tests.discord.platform.requests import Request
from tests.discord.platform.world import DM, FORUM, Json, World

API = "/api/v10"


class Platform:
    """A Discord with one application, whose bot is `bot`.

    Messages, channels and people are the JSON that the platform shows of them. `nonce_window` is how long a nonce is
    known, in seconds.
    """

    def __init__(self, *, content_allowed: bool = True) -> None:
        self.world = World(content_allowed=content_allowed)
        self.gateway = Gateway(self.world)
        self.limits = Limits()
        self.faults = Faults()
        self.checks = Checks()
        self.uses = Uses()
        self.requests: list[Request] = []
        self.typing: list[str] = []
        self.closed: set[str] = set()
        self.nonce_window = 240.0
        self.deduplicated = 0
        self.syncs = 0
        self.shards = 1
        self.api = ""
        self._nonces: dict[tuple[str, str], tuple[float, str]] = {}

    @classmethod
    @asynccontextmanager
    async def running(cls, *, content_allowed: bool = True) -> AsyncIterator[Self]:
        platform = cls(content_allowed=content_allowed)
        app = web.Application(client_max_size=25 * 1024 * 1024)
        rest.install(platform, app, base=API)
        app.router.add_get("/gateway/", platform.gateway.serve)
        app.router.add_get("/attachments/{channel}/{attachment}/{name}", platform._file)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        platform.world.base = f"http://{host}:{port}"
        platform.api = platform.world.base + API
        platform.gateway.url = f"ws://{host}:{port}/gateway/"
        try:
            yield platform
        finally:
            await platform.gateway.go_offline()
            await runner.cleanup()

    @property
    def token(self) -> str:
        return self.world.token

    @property
    def bot(self) -> Json:
        return self.world.bot

    # Places and people

    def person(self, name: str) -> Json:
        return self.world.person(name)

    def guild(self, name: str = "Home") -> Json:
        return self.world.guild(name)

    def channel(self, guild: Json, name: str = "general") -> Json:
        return self.world.channel(guild, name)

    def dm(self, user: Json) -> Json:
        return self.world.dm(user)

    async def thread(self, parent: Json, name: str, *, owner: Json, thread_id: str | None = None) -> Json:
        thread = self.world.thread(parent, name, thread_id=thread_id, owner=owner["id"])
        await self.announce("THREAD_CREATE", {**thread, "newly_created": True})
        return thread

    def forum(self, guild: Json, name: str = "help") -> Json:
        return self.world.channel(guild, name, kind=FORUM)

    # What people do

    @property
    def mention(self) -> str:
        return f"<@{self.bot['id']}>"

    async def say(
        self,
        user: Json,
        where: Json,
        text: str,
        *,
        reply_to: Json | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Json:
        body: Json = {"content": text}
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to["id"]}
        message = self.world.post(where, user, body, dict(enumerate((files or {}).items())))
        await self.announce("MESSAGE_CREATE", message)
        return message

    async def edit(self, message: Json, text: str) -> Json:
        return await self.rewrite(message, {"content": text}, {})

    async def delete(self, message: Json) -> None:
        self.world.messages[message["channel_id"]].pop(message["id"], None)
        told = {"id": message["id"], "channel_id": message["channel_id"]}
        if "guild_id" in message:
            told["guild_id"] = message["guild_id"]
        await self._tell("MESSAGE_DELETE", told, guild=message.get("guild_id"))

    async def ask_in_forum(self, user: Json, forum: Json, title: str, text: str) -> Json:
        """A post: a thread with its first message, which has the thread's id."""
        thread = await self.thread(forum, title, owner=user)
        await self.say(user, thread, text)
        return thread

    def command(self, name: str, *, kind: int = 1, guild: str = "") -> Json:
        return next(
            command
            for command in self.world.commands[guild]
            if (command["name"], command.get("type", 1)) == (name, kind)
        )

    async def slash(
        self, user: Json, where: Json, name: str, *, locale: str = "en-US", brought: bool = False, **options: Any
    ) -> Use:
        """`brought`: the person has installed the application for themselves, and the bot is not there."""
        command = self.command(name)
        data = {"id": command["id"], "name": name, "type": 1, "options": options_of(command, options)}
        return await self._use(user, where, COMMAND, data, locale=locale, brought=brought)

    async def complete(self, user: Json, where: Json, name: str, focused: str, typed: str) -> list[str]:
        """What is offered for an option that is being typed."""
        command = self.command(name)
        options = options_of(command, {focused: typed}, focused=focused)
        data = {"id": command["id"], "name": name, "type": 1, "options": options}
        use = await self._use(user, where, AUTOCOMPLETE, data)
        await asyncio.wait_for(use.answered.wait(), 3)
        return [choice["value"] for choice in use.choices]

    async def ask_about(self, user: Json, message: Json, name: str) -> Use:
        """A command of a message's menu."""
        command = self.command(name, kind=3)
        data = {
            "id": command["id"],
            "name": name,
            "type": 3,
            "target_id": message["id"],
            "resolved": {"messages": {message["id"]: message}},
        }
        return await self._use(user, self.world.channels[message["channel_id"]], COMMAND, data)

    async def look_at(self, user: Json, other: Json, where: Json, name: str, *, locale: str = "en-US") -> Use:
        """A command of a person's menu."""
        command = self.command(name, kind=2)
        resolved: Json = {"users": {other["id"]: other}}
        if "guild_id" in where:
            member = self.world.member(other)
            del member["user"]
            resolved["members"] = {other["id"]: member}
        data = {"id": command["id"], "name": name, "type": 2, "target_id": other["id"], "resolved": resolved}
        return await self._use(user, where, COMMAND, data, locale=locale)

    async def press(self, user: Json, message: Json, label: str) -> Use:
        """Press the button whose label, emoji or custom id has `label` in it."""
        for row in message["components"]:
            for button in row["components"]:
                words = (button.get("label"), button.get("custom_id"), (button.get("emoji") or {}).get("name"))
                if any(label in (word or "") for word in words):
                    data = {"custom_id": button["custom_id"], "component_type": 2}
                    where = self.world.channels[message["channel_id"]]
                    return await self._use(user, where, COMPONENT, data, on=message)
        raise ValueError(f"no button {label!r} on {message['components']!r}")

    async def choose(self, user: Json, message: Json, value: str) -> Use:
        """Choose from the menu of a message."""
        menu = next(part for row in message["components"] for part in row["components"] if part["type"] == 3)
        if value not in [option["value"] for option in menu["options"]]:
            raise ValueError(f"the menu has no {value!r}")
        data = {"custom_id": menu["custom_id"], "component_type": 3, "values": [value]}
        return await self._use(user, self.world.channels[message["channel_id"]], COMPONENT, data, on=message)

    # What is seen

    def messages(self, where: Json) -> list[Json]:
        return list(self.world.messages[where["id"]].values())

    def posts(self, where: Json) -> list[Json]:
        """The bot's messages, in order."""
        return [message for message in self.messages(where) if message["author"]["id"] == self.bot["id"]]

    def texts(self, where: Json) -> list[str]:
        return [message["content"] for message in self.posts(where)]

    async def until(self, condition: Callable[[], Any], *, seconds: float = 30) -> None:
        """Wait until it holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    def count(self, method: str, template: str) -> int:
        return sum(request.method == method and request.template == template for request in self.requests)

    def fail(self, **fault: Any) -> None:
        self.faults.add(Fault(**fault))

    # What the server does

    async def announce(self, event: str, data: Json) -> None:
        await self._tell(event, data, guild=data.get("guild_id"))

    async def rewrite(self, message: Json, body: Mapping[str, Any], files: Mapping[int, tuple[str, bytes]]) -> Json:
        for key in ("content", "embeds", "components", "flags"):
            if key in body:
                message[key] = body[key] if body[key] is not None else ("" if key == "content" else [])
        if files:
            message["attachments"] += [self.world.attachment(message["channel_id"], *file) for file in files.values()]
        message["edited_timestamp"] = datetime.now(UTC).isoformat()
        self.world.derive(message)
        if message["id"] in self.world.messages[message["channel_id"]]:
            await self.announce("MESSAGE_UPDATE", message)
        return message

    def remembered(self, channel: str, nonce: str | None) -> Json | None:
        if nonce is None or (channel, nonce) not in self._nonces:
            return None
        at, message = self._nonces[channel, nonce]
        return self.world.messages[channel].get(message) if time.monotonic() - at < self.nonce_window else None

    def remember(self, channel: str, nonce: str | None, message: Json) -> None:
        if nonce is not None:
            self._nonces[channel, nonce] = (time.monotonic(), message["id"])

    async def _use(
        self,
        user: Json,
        where: Json,
        kind: int,
        data: Json,
        *,
        on: Json | None = None,
        locale: str = "en-US",
        brought: bool = False,
    ) -> Use:
        use_id = self.world.ids.next()
        use = Use(id=use_id, token=f"use{use_id}", channel=where, user=user, kind=kind, on=on)
        self.uses.add(use)
        told: Json = {
            "id": use.id,
            "application_id": self.world.application["id"],
            "type": kind,
            "data": data,
            "channel_id": where["id"],
            "channel": where,
            "token": use.token,
            "version": 1,
            "locale": locale,
            "entitlements": [],
            "authorizing_integration_owners": {"1": user["id"]} if brought else {"0": where.get("guild_id", "0")},
            "context": 1 if where["type"] == DM else 0,
            "attachment_size_limit": 10 * 1024 * 1024,
            "app_permissions": "2251799813685247",
        }
        if on is not None:
            told["message"] = on
        if "guild_id" in where:
            told |= {"guild_id": where["guild_id"], "member": self.world.member(user)}
            told["guild"] = {"id": where["guild_id"], "locale": "en-US", "features": []}
        else:
            told["user"] = user
        await self._tell("INTERACTION_CREATE", told, guild=where.get("guild_id"))
        return use

    async def _tell(self, event: str, data: Json, *, guild: str | None) -> None:
        def shown(data: Json, content: bool) -> Json:
            if event not in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
                return data
            told = self.world.visible(data, content=content)
            return {**told, "member": self.world.member(data["author"])} if guild else dict(told)

        await self.gateway.dispatch(event, data, guild=guild, shown=shown)

    async def _file(self, request: web.Request) -> web.Response:
        if request.path not in self.world.files:
            raise web.HTTPNotFound
        return web.Response(body=self.world.files[request.path][1])

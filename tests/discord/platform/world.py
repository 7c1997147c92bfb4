"""What is on the platform: people, guilds, channels, messages, the application and its commands."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.discord.platform.requests import Refused
from tests.discord.platform.snowflakes import Snowflakes, time_of

Json = dict[str, Any]
TEXT, DM, ANNOUNCED, PUBLIC_THREAD, FORUM = 0, 1, 10, 11, 15
EVERYTHING = "2251799813685247"


@dataclass(slots=True)
class World:
    """Everything as the JSON that the platform shows of it. `content_allowed`: the developer portal grants the
    Message Content intent."""

    content_allowed: bool = True
    ids: Snowflakes = field(default_factory=Snowflakes)
    token: str = field(init=False)
    application: Json = field(init=False)
    bot: Json = field(init=False)
    users: dict[str, Json] = field(default_factory=dict)
    guilds: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, dict[str, Json]] = field(default_factory=dict)
    commands: dict[str, list[Json]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    base: str = ""

    def __post_init__(self) -> None:
        self.bot = self.person("Parley", bot=True)
        self.token = self._token("the-rest-of-it")
        self.application = {
            "id": self.bot["id"],
            "name": "Parley",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": self.person("Owner"),
        }

    def _token(self, secret: str) -> str:
        head = base64.urlsafe_b64encode(str(self.bot["id"]).encode()).decode().rstrip("=")
        return f"{head}.Abcdef.{secret}"

    def reset_token(self) -> None:
        """The old one is worth nothing any more."""
        self.token = self._token(f"reset-{self.ids.next()}")

    @property
    def flags(self) -> int:
        return 1 << 19 if self.content_allowed else 0

    def person(self, name: str, *, bot: bool = False) -> Json:
        user = {"id": self.ids.next(), "username": name, "global_name": name, "discriminator": "0", "avatar": None}
        self.users[user["id"] or ""] = {**user, "bot": bot}
        return self.users[user["id"] or ""]

    def member(self, user: Json, *, permissions: str = EVERYTHING) -> Json:
        return {
            "user": user,
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": permissions,
        }

    def guild(self, name: str) -> Json:
        guild_id = self.ids.next()
        everyone = {
            "id": guild_id,
            "name": "@everyone",
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "position": 0,
            "permissions": EVERYTHING,
            "managed": False,
            "mentionable": False,
        }
        self.guilds[guild_id] = {
            "id": guild_id,
            "name": name,
            "owner_id": self.application["owner"]["id"],
            "roles": [everyone],
            "member_count": 2,
            "emojis": [],
            "stickers": [],
            "features": [],
            "preferred_locale": "en-US",
        }
        return self.guilds[guild_id]

    def channel(self, guild: Json | None, name: str, *, kind: int = TEXT, parent: Json | None = None) -> Json:
        channel_id = self.ids.next()
        channel: Json = {"id": channel_id, "type": kind, "name": name, "last_message_id": None, "flags": 0}
        if guild is not None:
            channel |= {"guild_id": guild["id"], "position": 0, "permission_overwrites": [], "nsfw": False}
            channel |= {"parent_id": parent["id"] if parent else None, "topic": None, "rate_limit_per_user": 0}
        if kind == FORUM:
            channel |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        return self.add(channel)

    def thread(self, parent: Json, name: str, *, thread_id: str | None = None, owner: str) -> Json:
        if thread_id in self.channels:
            raise Refused(400, 160004, "A thread has already been created for this message")
        return self.add(
            {
                "id": thread_id or self.ids.next(),
                "type": PUBLIC_THREAD,
                "guild_id": parent["guild_id"],
                "parent_id": parent["id"],
                "owner_id": owner,
                "name": name,
                "last_message_id": None,
                "message_count": 0,
                "member_count": 1,
                "rate_limit_per_user": 0,
                "flags": 0,
                "thread_metadata": {
                    "archived": False,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": "2026-01-01T00:00:00+00:00",
                    "locked": False,
                },
            }
        )

    def dm(self, user: Json) -> Json:
        for channel in self.channels.values():
            if channel["type"] == DM and channel["recipients"][0]["id"] == user["id"]:
                return channel
        channel = self.channel(None, "", kind=DM)
        channel["recipients"] = [user]
        return channel

    def add(self, channel: Json) -> Json:
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return channel

    def channel_of(self, channel_id: str) -> Json:
        if channel_id not in self.channels:
            raise Refused(404, 10003, "Unknown Channel")
        return self.channels[channel_id]

    def message_of(self, channel_id: str, message_id: str) -> Json:
        messages = self.messages.get(channel_id, {})
        if message_id not in messages:
            raise Refused(404, 10008, "Unknown Message")
        return messages[message_id]

    def post(
        self, channel: Json, author: Json, body: Mapping[str, Any], files: Mapping[int, tuple[str, bytes]]
    ) -> Json:
        """A new message, with what is derived from its text."""
        message_id = self.ids.next()
        message: Json = {
            "id": message_id,
            "channel_id": channel["id"],
            "author": author,
            "content": body.get("content") or "",
            "timestamp": time_of(message_id).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mention_roles": [],
            "pinned": False,
            "type": 0,
            "flags": body.get("flags", 0),
            "embeds": body.get("embeds") or [],
            "components": body.get("components") or [],
            "attachments": [self.attachment(channel["id"], name, content) for name, content in files.values()],
        }
        if "guild_id" in channel:
            message["guild_id"] = channel["guild_id"]
        if "nonce" in body:
            message["nonce"] = body["nonce"]
        reference = body.get("message_reference")
        if reference is not None:
            original = self.messages[channel["id"]].get(str(reference["message_id"]))
            if original is None and reference.get("fail_if_not_exists", True):
                raise Refused(400, 50035, "message_reference: Unknown message")
            shallow = original and {key: held for key, held in original.items() if key != "referenced_message"}
            message |= {"type": 19, "referenced_message": shallow}
            message["message_reference"] = {"channel_id": channel["id"], "message_id": str(reference["message_id"])}
        self.derive(message)
        self.messages[channel["id"]][message_id] = message
        channel["last_message_id"] = message_id
        return message

    def derive(self, message: Json) -> None:
        """Who is named in the text; a reply names the one it answers."""
        named = dict.fromkeys(re.findall(r"<@!?(\d+)>", message["content"]))
        original = message.get("referenced_message")
        if original is not None:
            named[original["author"]["id"]] = None
        message["mentions"] = [self.users[user] for user in named if user in self.users]

    def history(self, channel_id: str, *, before: str | None, after: str | None, limit: int) -> list[Json]:
        """Newest first, as Discord gives it; with `after`, those right after it."""
        messages: Iterator[Json] = iter(self.messages[self.channel_of(channel_id)["id"]].values())
        ordered = sorted(messages, key=lambda message: int(message["id"]))
        if after is not None:
            return [message for message in ordered if int(message["id"]) > int(after)][:limit][::-1]
        ordered = [message for message in ordered if before is None or int(message["id"]) < int(before)]
        return ordered[-limit:][::-1]

    def visible(self, message: Json, *, content: bool) -> Json:
        """As the bot may see it: without the Message Content intent most messages come empty."""
        is_dm = "guild_id" not in message
        named = any(user["id"] == self.bot["id"] for user in message["mentions"])
        if content or is_dm or named or message["author"]["id"] == self.bot["id"]:
            return message
        return {**message, "content": "", "attachments": [], "embeds": [], "components": []}

    def attachment(self, channel_id: str, name: str, content: bytes) -> Json:
        attachment_id = self.ids.next()
        path = f"/attachments/{channel_id}/{attachment_id}/{name}"
        self.files[path] = (name, content)
        url = self.base + path
        return {"id": attachment_id, "filename": name, "size": len(content), "url": url, "proxy_url": url}

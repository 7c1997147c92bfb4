"""The things of a workspace: teams, people, channels, messages, files, views, agent sessions."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Team:
    id: str
    name: str
    bot_user: str
    bot_id: str
    enterprise: str | None = None

    @property
    def domain(self) -> str:
        return self.name.lower().replace(" ", "-")


@dataclass(slots=True, kw_only=True)
class User:
    id: str
    name: str
    team: str
    admin: bool = False
    locale: str = "en-US"
    tz: str = "Europe/Amsterdam"
    is_bot: bool = False
    bot_id: str | None = None
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class Stream:
    """A live message. `state` is one of in_progress, completed, too_long, stopped_by_user, expired."""

    state: str = "in_progress"
    ends_at: float
    tasks: dict[str, Json] = field(default_factory=dict)
    plan: str | None = None


@dataclass(slots=True, kw_only=True)
class Message:
    """`text` and `blocks` are as finally seen; `edits` counts the changes after the posting, appends not."""

    ts: str
    channel: str
    team: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    bot_id: str | None = None
    files: list[str] = field(default_factory=list)
    subtype: str | None = None
    client_msg_id: str | None = None
    edits: int = 0
    edited_by: str | None = None
    edited_ts: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    only_for: str | None = None
    broadcast: bool = False
    stream: Stream | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def streaming(self) -> str | None:
        """The stream's state at this moment; None for a message that never was a stream."""
        if self.stream is None:
            return None
        if self.stream.state == "in_progress" and time.monotonic() >= self.stream.ends_at:
            self.stream.state = "expired"
        return self.stream.state


@dataclass(slots=True, kw_only=True)
class Channel:
    """`kind` is Slack's `channel_type`: channel (public), group (private), im, mpim."""

    id: str
    name: str
    team: str
    kind: Literal["channel", "group", "im", "mpim"]
    members: list[str]
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    def thread(self, root_ts: str) -> list[Message]:
        return [message for message in self.messages.values() if root_ts in {message.ts, message.thread_ts}]


@dataclass(slots=True, kw_only=True)
class File:
    id: str
    name: str
    team: str
    user: str
    length: int
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    channels: list[str] = field(default_factory=list)

    @property
    def filetype(self) -> str:
        suffix = self.name.rpartition(".")[2].lower()
        return {"txt": "text", "md": "markdown", "py": "python"}.get(suffix, suffix or "binary")


@dataclass(slots=True, kw_only=True)
class View:
    id: str
    team: str
    user: str
    content: Json
    hash: str
    root: str
    previous: str | None = None


@dataclass(slots=True, kw_only=True)
class Session:
    """An agent session: processing, active, suspended or closed."""

    status: str
    title: str | None = None


@dataclass(slots=True, kw_only=True)
class Status:
    """What a thread shows under the app's name until `ends_at` (monotonic) or the app's next message."""

    text: str
    loading_messages: list[str]
    ends_at: float


@dataclass(slots=True, kw_only=True)
class Prompts:
    title: str | None
    prompts: list[Json]
    thread_ts: str | None


@dataclass(slots=True, kw_only=True)
class Trigger:
    """What a person's act lets the app open, once and for three seconds."""

    team: str
    user: str
    ends_at: float
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    channel: str
    user: str
    message: str | None
    ends_at: float
    used: int = 0

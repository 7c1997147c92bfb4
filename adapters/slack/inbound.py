"""Slack's message events, read purely: who said, changed or deleted what, and where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.types import ConversationKey

PLAIN = frozenset({None, "file_share", "thread_broadcast", "me_message"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message of a person. `text` is as Slack writes it; `direct` in a DM; `mentions` where it names the app."""

    event_id: str
    conversation: ConversationKey
    user: str
    ts: str
    text: str
    direct: bool
    mentions: bool
    in_thread: bool
    files: tuple[Mapping[str, Any], ...] = ()
    edited: str | None = None

    @property
    def message_id(self) -> str:
        return message_id(self.conversation.room, self.ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    tenant: str
    message_id: str


def message_id(channel: str, ts: str) -> str:
    """Unique in a workspace: a ts alone is unique only in its channel."""
    return f"{channel}:{ts}"


def time_of(ts: str) -> datetime:
    """A ts is the time of the message in seconds."""
    return datetime.fromtimestamp(float(ts), UTC)


def parse(event: Mapping[str, Any], *, event_id: str, team: str, bot_user: str) -> Said | Deleted | None:
    """What a `message` or `app_mention` event says; None for what is no person's word to us."""
    subtype = event.get("subtype")
    if subtype == "message_deleted":
        return Deleted(tenant=team, message_id=message_id(event["channel"], event["deleted_ts"]))
    if subtype == "message_changed":
        return _changed(event, event_id=event_id, team=team, bot_user=bot_user)
    if subtype not in PLAIN:
        return None
    return _said(event, event, event_id=event_id, team=team, bot_user=bot_user)


def mentioned(text: str) -> tuple[str, ...]:
    """The ids of the people that a text names."""
    return tuple(dict.fromkeys(re.findall(r"<@([UW][A-Z0-9]+)", text)))


def without_mention(text: str, bot_user: str) -> str:
    """The text without the app's own name, and without a comma or colon after it where the text begins so."""
    name = rf"<@{re.escape(bot_user)}(?:\|[^>]*)?>"
    text = re.sub(rf"^\s*{name}[ \t]*[:,：，]", "", text)
    return re.sub(rf"[ \t]*{name}[ \t]*", " ", text).strip()


def _changed(event: Mapping[str, Any], *, event_id: str, team: str, bot_user: str) -> Said | Deleted | None:
    now, before = event["message"], event.get("previous_message") or {}
    if now.get("subtype") == "tombstone":
        return Deleted(tenant=team, message_id=message_id(event["channel"], now["ts"]))
    if now.get("subtype") not in PLAIN or now.get("text") == before.get("text"):
        return None
    edited = (now.get("edited") or {}).get("ts") or event.get("event_ts") or event_id
    return _said(now, event, event_id=event_id, team=team, bot_user=bot_user, edited=str(edited))


def _said(
    message: Mapping[str, Any],
    event: Mapping[str, Any],
    *,
    event_id: str,
    team: str,
    bot_user: str,
    edited: str | None = None,
) -> Said | None:
    user = message.get("user")
    if not user or user == bot_user or message.get("bot_id") or message.get("bot_profile"):
        return None
    ts, thread, channel = message["ts"], message.get("thread_ts"), event["channel"]
    text = message.get("text") or ""
    return Said(
        event_id=event_id,
        conversation=ConversationKey(channel="slack", tenant=team, room=channel, thread=thread or ts),
        user=user,
        ts=ts,
        text=text,
        direct=event.get("channel_type") == "im" or (event.get("channel_type") is None and channel.startswith("D")),
        mentions=event.get("type") == "app_mention" or bot_user in mentioned(text),
        in_thread=thread is not None and thread != ts,
        files=tuple(message.get("files") or ()),
        edited=edited,
    )

"""One Slack thread, as far as replies are shown in it: each message carries a stamp of the turn it belongs to.

Slack has no idempotency of its own, so what may have been posted without an answer is looked up by its stamp. A
stream gets its stamp when it ends; until then it is an unstamped message of ours after the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from adapters.shared.pacing import Gate
from adapters.slack.calls import Refused, made
from bot.errors import ChannelBusy, ChannelError

STAMP = "parley_reply"
PAGE = 200
CLOSED = {"message_not_in_streaming_state", "stopped_by_user", "msg_too_long", "message_not_found"}
LIVE = {"streaming_state_conflict", "cant_delete_message"}

Blocks = Sequence[dict[str, Any]]


class StoppedByUser(ChannelError):
    """By Slack's own button; the event that says so is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a conversation is on Slack: a thread, or the channel itself; and who asked."""

    team: str
    channel: str
    thread: str | None
    asker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found of a turn: the ts of its messages in order, and whether its file is there."""

    parts: tuple[str, ...] = ()
    has_file: bool = False


class Thread:
    """`gate` keeps new messages of a channel apart."""

    def __init__(self, client: AsyncWebClient, place: Place, turn: str, *, bot_user: str, gate: Gate) -> None:
        self._client = client
        self._place = place
        self._turn = turn
        self._bot_user = bot_user
        self._gate = gate

    async def post(self, text: str, *, part: int, blocks: Blocks | None = None) -> str:
        """A new message; its ts."""
        channel = self._place.channel
        await self._gate.turn(channel)
        try:
            answer = await made(
                "chat.postMessage",
                self._client.chat_postMessage(
                    channel=channel,
                    thread_ts=self._place.thread,
                    text=text,
                    blocks=blocks,
                    metadata=self._stamp(part),
                    unfurl_links=False,
                    unfurl_media=False,
                ),
            )
        except ChannelBusy as busy:
            self._gate.hold(channel, busy.wait)
            raise
        return str(answer["ts"])

    async def update(self, ts: str, text: str, *, part: int, blocks: Blocks | None = None) -> None:
        """Replace what a message says; a live stream is ended first."""
        try:
            await self._update(ts, text, part, blocks)
        except Refused as refused:
            if refused.error not in LIVE:
                raise
            await self.stop(ts, "", part=part)
            await self._update(ts, text, part, blocks)

    async def delete(self, ts: str) -> None:
        """No error where it is gone."""
        try:
            await made("chat.delete", self._client.chat_delete(channel=self._place.channel, ts=ts))
        except Refused as refused:
            if refused.error in LIVE:
                await self.stop(ts, "", part=0)
                await made("chat.delete", self._client.chat_delete(channel=self._place.channel, ts=ts))
            elif refused.error != "message_not_found":
                raise

    async def start(self, text: str) -> str:
        """A new stream that begins with `text`; its ts."""
        answer = await made(
            "chat.startStream",
            self._client.chat_startStream(
                channel=self._place.channel,
                thread_ts=self._place.thread or "",
                markdown_text=text,
                recipient_user_id=self._place.asker,
                recipient_team_id=self._place.team,
            ),
        )
        return str(answer["ts"])

    async def append(self, ts: str, text: str) -> bool:
        """Add to a stream. False where it has ended. Raises StoppedByUser."""
        channel = self._place.channel
        try:
            await made("chat.appendStream", self._client.chat_appendStream(channel=channel, ts=ts, markdown_text=text))
        except Refused as refused:
            if refused.error == "stopped_by_user":
                raise StoppedByUser("the asker stopped the reply") from refused
            if refused.error in CLOSED:
                return False
            raise
        return True

    async def stop(self, ts: str, text: str, *, part: int, blocks: Blocks | None = None) -> bool:
        """End a stream with `text` and `blocks` added. False where it had ended."""
        try:
            await made(
                "chat.stopStream",
                self._client.chat_stopStream(
                    channel=self._place.channel,
                    ts=ts,
                    markdown_text=text or None,
                    blocks=blocks,
                    metadata=self._stamp(part),
                ),
            )
        except Refused as refused:
            if refused.error in CLOSED:
                return False
            raise
        return True

    async def attach(self, name: str, text: str, *, title: str) -> None:
        """Share a text as a file."""
        await self._gate.turn(self._place.channel)
        await made(
            "files.completeUploadExternal",
            self._client.files_upload_v2(
                channel=self._place.channel,
                thread_ts=self._place.thread,
                filename=name,
                title=title,
                content=text,
                request_file_info=False,
            ),
        )

    async def find(self, *, since: datetime, file: str) -> Found:
        """What is there of the turn, asked at `since`. Slack limits this hard for some apps: only where needed."""
        oldest = f"{(since - timedelta(seconds=1)).timestamp():.6f}"
        stamped: list[tuple[int, str]] = []
        streams: list[str] = []
        has_file = False
        cursor: str | None = None
        while True:
            answer = await self._page(oldest, cursor)
            for message in answer.get("messages", ()):
                if message.get("user") != self._bot_user and not message.get("bot_id"):
                    continue
                if any(each.get("name") == file for each in message.get("files", ())):
                    has_file = True
                elif (stamp := message.get("metadata") or {}).get("event_type") == STAMP:
                    payload = stamp.get("event_payload") or {}
                    if payload.get("turn") == self._turn:
                        stamped.append((int(payload.get("part", 0)), str(message["ts"])))
                elif message.get("user") == self._bot_user and not message.get("files"):
                    streams.append(str(message["ts"]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                break
        return Found(parts=(*(ts for _, ts in sorted(stamped)), *sorted(streams)), has_file=has_file)

    async def _page(self, oldest: str, cursor: str | None) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "channel": self._place.channel,
            "oldest": oldest,
            "limit": PAGE,
            "cursor": cursor,
            "include_all_metadata": True,
        }
        if self._place.thread is None:
            return await made("conversations.history", self._client.conversations_history(**asked))
        replies = self._client.conversations_replies(ts=self._place.thread, **asked)
        return await made("conversations.replies", replies)

    async def _update(self, ts: str, text: str, part: int, blocks: Blocks | None) -> None:
        await made(
            "chat.update",
            self._client.chat_update(
                channel=self._place.channel,
                ts=ts,
                text=text,
                blocks=blocks if blocks is not None else [],
                metadata=self._stamp(part),
            ),
        )

    def _stamp(self, part: int) -> dict[str, Any]:
        return {"event_type": STAMP, "event_payload": {"turn": self._turn, "part": part}}

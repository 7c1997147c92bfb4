"""chat.startStream, chat.appendStream, chat.stopStream."""

import time
from typing import Any

from tests.slack.platform.ask import Ask
from tests.slack.platform.blocks import MARKDOWN_CHARS, MESSAGE_BLOCKS, check_blocks
from tests.slack.platform.errors import SlackError
from tests.slack.platform.metadata import check_metadata
from tests.slack.platform.methods.chat import markdown_text, thread_ts
from tests.slack.platform.things import Channel, Json, Message, Session, Stream

CHUNKS = {"markdown_text", "task_update", "plan_update", "blocks"}
TASK_STATES = {"pending", "in_progress", "complete", "error"}
CHUNK_TITLE_CHARS = 256
SESSION_STATES = {"active", "processing", "suspended", "closed"}


def start(ask: Ask) -> Json:
    channel = ask.channel(to_post=True)
    thread = thread_ts(ask)
    if thread is None:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: thread_ts")
    if channel.kind != "im":
        for name in ("recipient_team_id", "recipient_user_id"):
            if not ask.text(name):
                raise SlackError(f"missing_{name}")
        if ask.text("recipient_user_id") not in ask.workspace.users:
            raise SlackError("user_not_found")
    markdown, chunks = markdown_text(ask), _chunks(ask)
    team = ask.workspace.team_of(channel)
    message = Message(
        ts=ask.workspace.ids.ts(),
        channel=channel.id,
        team=team.id,
        user=team.bot_user,
        bot_id=team.bot_id,
        text="",
        thread_ts=thread,
        stream=Stream(ends_at=time.monotonic() + ask.workspace.settings.stream_seconds),
    )
    _add(ask, message, markdown, chunks)
    ask.workspace.post(message)
    return {"channel": channel.id, "ts": message.ts}


def append(ask: Ask) -> Json:
    channel, message, markdown, chunks = _live(ask)
    if markdown is None and not chunks:
        raise SlackError("no_text")
    _add(ask, message, markdown, chunks)
    return {"channel": channel.id, "ts": message.ts}


def stop(ask: Ask) -> Json:
    session_status = ask.text("session_status") or "active"
    if session_status not in SESSION_STATES:
        raise SlackError("invalid_arguments", "[ERROR] session_status is unknown")
    channel, message, markdown, chunks = _live(ask)
    blocks = check_blocks(ask.json("blocks") or [])
    metadata = check_metadata(ask.json("metadata"))
    previous = ask.workspace.snapshot(message)
    _add(ask, message, markdown, chunks)
    message.blocks += blocks
    message.metadata = metadata
    if message.stream is not None:
        message.stream.state = "completed"
    session = ask.workspace.session_of(message)
    if session is not None:
        session.status = session_status
    else:
        ask.workspace.sessions[channel.id, message.thread_ts or message.ts] = Session(status=session_status)
    ask.workspace.changed(message, previous)
    return {"channel": channel.id, "ts": message.ts, "message": ask.workspace.shown(message, with_metadata=True)}


def _live(ask: Ask) -> tuple[Channel, Message, str | None, list[Json]]:
    channel = ask.channel(to_post=True)
    message = ask.workspace.message(channel, ask.need("ts"))
    if message.bot_id != ask.workspace.team_of(channel).bot_id:
        raise SlackError("message_not_owned_by_app")
    if message.streaming == "stopped_by_user" and ask.method == "chat.appendStream":
        raise SlackError("stopped_by_user")
    if message.streaming != "in_progress":
        raise SlackError("message_not_in_streaming_state")
    return channel, message, markdown_text(ask), _chunks(ask)


def _chunks(ask: Ask) -> list[Json]:
    chunks: Any = ask.json("chunks") or []
    if not isinstance(chunks, list):
        raise SlackError("invalid_chunks")
    for chunk in chunks:
        if not isinstance(chunk, dict) or chunk.get("type") not in CHUNKS:
            raise SlackError("invalid_chunks")
        if chunk["type"] == "markdown_text" and not isinstance(chunk.get("text"), str):
            raise SlackError("invalid_chunks")
        if len(chunk.get("text") or "") > MARKDOWN_CHARS:
            raise SlackError("msg_too_long")
        if chunk["type"] == "task_update" and (
            not chunk.get("id") or chunk.get("status") not in TASK_STATES or not chunk.get("title")
        ):
            raise SlackError("invalid_chunks")
        if len(chunk.get("title") or "") > CHUNK_TITLE_CHARS:
            raise SlackError("invalid_chunks")
        if chunk["type"] == "blocks":
            check_blocks(chunk.get("blocks"))
    return chunks


def _add(ask: Ask, message: Message, markdown: str | None, chunks: list[Json]) -> None:
    """Adds to the stream. A stream that would pass the size limit is closed as it was."""
    stream = message.stream
    if stream is None:
        return
    added = (markdown or "") + "".join(chunk["text"] for chunk in chunks if chunk["type"] == "markdown_text")
    if len(message.text) + len(added) > ask.workspace.settings.stream_chars:
        stream.state = "too_long"
        raise SlackError("msg_too_long")
    blocks = [block for chunk in chunks if chunk["type"] == "blocks" for block in chunk["blocks"]]
    if len(message.blocks) + len(blocks) > MESSAGE_BLOCKS:
        raise SlackError("msg_blocks_too_many")
    message.text += added
    message.blocks += blocks
    for chunk in chunks:
        if chunk["type"] == "task_update":
            before = stream.tasks.get(chunk["id"], {})
            details = "".join(part for part in (before.get("details"), chunk.get("details")) if isinstance(part, str))
            stream.tasks[chunk["id"]] = before | chunk | ({"details": details} if details else {})
        elif chunk["type"] == "plan_update":
            stream.plan = chunk.get("title")


METHODS = {"chat.startStream": start, "chat.appendStream": append, "chat.stopStream": stop}

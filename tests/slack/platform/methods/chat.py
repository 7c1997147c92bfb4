"""chat.postMessage, chat.postEphemeral, chat.update, chat.delete."""

import re

from tests.slack.platform.ask import Ask
from tests.slack.platform.blocks import MARKDOWN_CHARS, check_blocks
from tests.slack.platform.errors import SlackError
from tests.slack.platform.metadata import check_metadata
from tests.slack.platform.things import Channel, Json, Message

TEXT_CHARS = 40_000
UPDATED_TEXT_CHARS = 4_000
TS = re.compile(r"\d{10}\.\d{6}")


def thread_ts(ask: Ask) -> str | None:
    wanted = ask.text("thread_ts")
    if wanted and not TS.fullmatch(wanted):
        raise SlackError("invalid_thread_ts")
    return wanted or None


def markdown_text(ask: Ask) -> str | None:
    text = ask.text("markdown_text")
    if text is not None and len(text) > MARKDOWN_CHARS:
        raise SlackError("msg_too_long")
    return text


def post_message(ask: Ask) -> Json:
    channel = ask.channel(to_post=True)
    message = _new_message(ask, channel)
    cut = len(message.text) > TEXT_CHARS
    message.text = message.text[:TEXT_CHARS]
    message.metadata = check_metadata(ask.json("metadata"))
    message.unfurl_links, message.unfurl_media = ask.flag("unfurl_links"), ask.flag("unfurl_media")
    message.broadcast = bool(ask.flag("reply_broadcast"))
    ask.workspace.post(message)
    shown: Json = {"channel": channel.id, "ts": message.ts, "message": ask.workspace.shown(message, with_metadata=True)}
    return shown | {"response_metadata": {"warnings": ["message_truncated"]}} if cut else shown


def post_ephemeral(ask: Ask) -> Json:
    channel = ask.channel(to_post=True)
    user = ask.text("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = _new_message(ask, channel)
    if len(message.text) > TEXT_CHARS:
        raise SlackError("msg_too_long")
    message.only_for = user
    ask.workspace.ephemerals.append(message)
    return {"message_ts": message.ts}


def update(ask: Ask) -> Json:
    channel, message = _own_message(ask, "cant_update_message")
    if channel.archived:
        raise SlackError("is_inactive")
    if message.streaming == "in_progress":
        raise SlackError("streaming_state_conflict")
    text, blocks, markdown = ask.text("text"), ask.json("blocks"), markdown_text(ask)
    _check_content(ask, text, blocks, markdown)
    if text is not None and len(text) > UPDATED_TEXT_CHARS:
        raise SlackError("msg_too_long")
    previous = ask.workspace.snapshot(message)
    if blocks is not None:
        message.blocks = check_blocks(blocks)
    elif text is not None or markdown is not None:
        message.blocks = []
    message.text = next((given for given in (markdown, text) if given is not None), message.text)
    if ask.args.get("metadata") is not None:
        message.metadata = check_metadata(ask.json("metadata") or None)
    message.edits += 1
    message.edited_by, message.edited_ts = ask.team.bot_user, ask.workspace.ids.ts()
    ask.workspace.changed(message, previous)
    shown = ask.workspace.shown(message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(ask: Ask) -> Json:
    channel, message = _own_message(ask, "cant_delete_message")
    if message.streaming == "in_progress":
        raise SlackError("cant_delete_message")
    ask.workspace.remove(message)
    return {"channel": channel.id, "ts": message.ts}


def _new_message(ask: Ask, channel: Channel) -> Message:
    text, blocks, markdown = ask.text("text"), ask.json("blocks"), markdown_text(ask)
    _check_content(ask, text, blocks, markdown)
    team = ask.workspace.team_of(channel)
    return Message(
        ts=ask.workspace.ids.ts(),
        channel=channel.id,
        team=team.id,
        user=team.bot_user,
        bot_id=team.bot_id,
        text=markdown if markdown is not None else text or "",
        blocks=check_blocks(blocks) if blocks is not None else [],
        attachments=ask.json("attachments") or [],
        thread_ts=thread_ts(ask),
    )


def _check_content(ask: Ask, text: str | None, blocks: object, markdown: str | None) -> None:
    if markdown is not None and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if not (text or blocks or markdown or ask.json("attachments")):
        raise SlackError("no_text")


def _own_message(ask: Ask, refusal: str) -> tuple[Channel, Message]:
    channel = ask.channel()
    message = ask.workspace.message(channel, ask.need("ts"))
    if message.bot_id != ask.workspace.team_of(channel).bot_id:
        raise SlackError(refusal)
    return channel, message


METHODS = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
}

"""What the app says outside the Web API: to a command's acknowledgement and to response URLs."""

import time
from typing import Any

from tests.slack.platform.blocks import check_blocks
from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Json, Message
from tests.slack.platform.workspace import Workspace

USES = 5


def say(workspace: Workspace, body: Json, *, channel: str, user: str) -> Message:
    """Posts for all with `response_type` in_channel, else for that person's eyes."""
    where = workspace.channels[channel]
    team = workspace.team_of(where)
    if not body.get("text") and not body.get("blocks"):
        raise SlackError("no_text")
    message = Message(
        ts=workspace.ids.ts(),
        channel=channel,
        team=team.id,
        user=team.bot_user,
        bot_id=team.bot_id,
        text=str(body.get("text") or ""),
        blocks=check_blocks(body.get("blocks") or []),
        thread_ts=body.get("thread_ts"),
    )
    if body.get("response_type") == "in_channel":
        workspace.post(message)
    else:
        message.only_for = user
        workspace.ephemerals.append(message)
    return message


def respond(workspace: Workspace, key: str, body: Any) -> None:
    """A post to a response URL: five times within half an hour."""
    known = workspace.response_urls.get(key)
    if known is None or time.monotonic() > known.ends_at:
        raise SlackError("expired_url")
    if known.used >= USES:
        raise SlackError("used_url")
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    known.used += 1
    original = workspace.find(known.message)[1] if known.message is not None else None
    if body.get("delete_original") and original is not None:
        _remove(workspace, original)
    elif body.get("replace_original") and original is not None:
        _replace(workspace, original, body)
    else:
        say(workspace, body, channel=known.channel, user=known.user)


def _remove(workspace: Workspace, message: Message) -> None:
    if message in workspace.ephemerals:
        workspace.ephemerals.remove(message)
    else:
        workspace.remove(message)


def _replace(workspace: Workspace, message: Message, body: Json) -> None:
    previous = workspace.snapshot(message)
    message.text = str(body.get("text") or "")
    message.blocks = check_blocks(body.get("blocks") or [])
    message.edits += 1
    if message.only_for is None:
        workspace.changed(message, previous)

"""What was said in a thread before the app was asked there."""

import asyncio
from collections.abc import Mapping
from typing import Any

from adapters.slack.calls import made
from adapters.slack.inbound import PLAIN, Said, message_id, time_of
from adapters.slack.people import People
from adapters.slack.workspaces import Workspace
from bot.errors import ChannelError
from bot.types import Author, Heard

WAIT_SECONDS = 1.5
ASKED = 1_000  # Slack begins with the oldest
MOST = 20
CHARS = 2_000


async def earlier(said: Said, workspace: Workspace, people: People) -> tuple[Heard, ...]:
    """The newest messages, of other bots too, oldest first; nothing where Slack does not say in time."""
    key = said.conversation
    asked = workspace.post.conversations_replies(
        channel=key.room, ts=key.thread or said.ts, latest=said.ts, inclusive=False, limit=ASKED
    )
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            answer = await made("conversations.replies", asked)
            told = [message for message in answer.get("messages", ()) if _is_said(message, before=said.ts)]
            return tuple(
                await asyncio.gather(*(_heard(message, key.room, workspace, people) for message in told[-MOST:]))
            )
    except (ChannelError, TimeoutError):
        return ()


def _is_said(message: Mapping[str, Any], *, before: str) -> bool:
    kinds = PLAIN | {"bot_message"}
    return message.get("subtype") in kinds and message["ts"] < before and bool((message.get("text") or "").strip())


async def _heard(message: Mapping[str, Any], room: str, workspace: Workspace, people: People) -> Heard:
    user = message.get("user")
    if user is not None:
        author = Author(id=user, name=(await people.get(workspace.ask, user)).name)
    else:
        bot = str(message.get("bot_id"))
        author = Author(id=bot, name=message.get("username") or bot)
    return Heard(
        author=author,
        text=(await people.plain(workspace.ask, message["text"]))[:CHARS],
        at=time_of(message["ts"]),
        message_id=message_id(room, message["ts"]),
    )

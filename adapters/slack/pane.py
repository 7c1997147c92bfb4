"""The assistant pane: what to begin with, what is going on, and what a thread is about. None of it is needed for a
reply, so that whatever Slack says to it is passed over."""

from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from adapters.slack.calls import made
from adapters.slack.thread import Place
from adapters.slack.words import ASK_ME, LOADING, THINKING
from adapters.slack.workspaces import Workspace
from bot.errors import ChannelError
from bot.types import Persona

MOST_PROMPTS = 4
TITLE_CHARS = 80


class Pane:
    def __init__(self, workspace: Workspace) -> None:
        self._client = workspace.post

    async def suggest(self, channel: str, persona: Persona, *, locale: str | None, thread: str | None) -> None:
        """The persona's starters; the newer agent view takes none for a thread."""
        prompts = [
            {"title": starter.label.pick(locale), "message": starter.prompt.pick(locale)}
            for starter in persona.starters[:MOST_PROMPTS]
        ]
        if prompts:
            title = (persona.greeting or ASK_ME).pick(locale)
            given = {"channel_id": channel, "title": title[:TITLE_CHARS], "prompts": prompts}
            await self._try("assistant.threads.setSuggestedPrompts", given | ({"thread_ts": thread} if thread else {}))

    async def think(self, place: Place, *, locale: str | None) -> None:
        """Show that an answer is on its way, with Slack's own button to stop it."""
        if place.thread is None:
            return
        given: dict[str, Any] = {"channel_id": place.channel, "thread_ts": place.thread}
        await self._try("agents.sessions.setStatus", given | {"status": "processing"})
        loading = [words.pick(locale) for words in LOADING]
        await self._try(
            "assistant.threads.setStatus", given | {"status": THINKING.pick(locale), "loading_messages": loading}
        )

    async def rest(self, place: Place) -> None:
        """Nothing is on its way any more."""
        if place.thread is None:
            return
        given: dict[str, Any] = {"channel_id": place.channel, "thread_ts": place.thread}
        await self._try("agents.sessions.setStatus", given | {"status": "active"})
        await self._try("assistant.threads.setStatus", given | {"status": ""})

    async def name(self, place: Place, question: str) -> None:
        """The first question is the thread's title."""
        title = " ".join(question.split())
        title = title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1] + "…"
        if title and place.thread is not None:
            given = {"channel_id": place.channel, "thread_ts": place.thread, "title": title}
            await self._try("assistant.threads.setTitle", given)

    async def _try(self, method: str, given: dict[str, Any]) -> None:
        call: Awaitable[Any] = self._client.api_call(method, json=given)
        with suppress(ChannelError):
            await made(method, call)

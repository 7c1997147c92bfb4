"""What people say, change and delete becomes the inbox's, before Slack is told that it arrived."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from adapters.shared.markup.slack import escaped
from adapters.slack import files
from adapters.slack.calls import made
from adapters.slack.desk import Desk
from adapters.slack.earlier import earlier
from adapters.slack.inbound import Deleted, Said, parse, time_of, without_mention
from adapters.slack.words import UNREAD
from adapters.slack.workspaces import Workspace
from bot.errors import ChannelError
from bot.types import Author, Heard, Inbound


class Hearing:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def hear(self, event: Mapping[str, Any], *, event_id: str, workspace: Workspace) -> None:
        """Returns once the message is stored. Raises StoreUnavailable; then Slack shall deliver again."""
        heard = parse(event, event_id=event_id, team=workspace.team, bot_user=workspace.bot_user)
        inbox = self._desk.core.inbox
        if isinstance(heard, Deleted):
            await inbox.retract("slack", heard.tenant, heard.message_id)
        elif heard is not None and await self._is_for_us(heard):
            # A mention comes as two events at once; what was said before is asked for by the first one.
            lock = self._under_way.setdefault(heard.message_id, asyncio.Lock())
            async with lock:
                await self._take(heard, workspace)

    async def _is_for_us(self, said: Said) -> bool:
        if said.direct or said.mentions:
            return True
        known = said.in_thread or said.edited is not None
        return known and await self._desk.core.store.conversations.get(said.conversation) is not None

    async def _take(self, said: Said, workspace: Workspace) -> None:
        inbound, refused = await self._inbound(said, workspace)
        inbox = self._desk.core.inbox
        accepted = await (inbox.accept(inbound) if said.edited is None else inbox.edit(inbound))
        if refused and said.edited is None and accepted is not None and not accepted.duplicate:
            await self._refuse(said, refused, workspace)

    async def _inbound(self, said: Said, workspace: Workspace) -> tuple[Inbound, tuple[str, ...]]:
        people, settings = self._desk.people, self._desk.settings
        profile, text, read, before = await asyncio.gather(
            people.get(workspace.ask, said.user),
            people.plain(workspace.ask, without_mention(said.text, workspace.bot_user)),
            files.read(
                said.files,
                token=workspace.token,
                api_url=settings.api_url,
                limit=settings.file_bytes,
                session=self._desk.http,
            ),
            self._earlier(said, workspace),
        )
        return Inbound(
            event_id=said.event_id if said.edited is None else f"{said.event_id}:{said.edited}",
            message_id=said.message_id,
            conversation=said.conversation,
            author=Author(id=said.user, name=profile.name),
            text="\n\n".join(filter(None, (text, read.text))) or "?",
            received_at=time_of(said.ts),
            locale=profile.locale,
            earlier=before,
            may_choose=True,
        ), read.refused

    async def _earlier(self, said: Said, workspace: Workspace) -> tuple[Heard, ...]:
        """Asked for once: later on the app remembers by itself."""
        if not said.in_thread or said.edited is not None:
            return ()
        if await self._desk.core.store.conversations.get(said.conversation) is not None:
            return ()
        return await earlier(said, workspace, self._desk.people)

    async def _refuse(self, said: Said, names: tuple[str, ...], workspace: Workspace) -> None:
        profile = await self._desk.people.get(workspace.ask, said.user)
        kib = self._desk.settings.file_bytes // 1024
        text = UNREAD.pick(profile.locale).format(kib=kib, names=escaped(", ".join(names)))
        thread = said.conversation.thread if said.in_thread else None  # in a thread yet to begin nobody would see it
        with suppress(ChannelError):
            await made(
                "chat.postEphemeral",
                workspace.post.chat_postEphemeral(
                    channel=said.conversation.room, thread_ts=thread, user=said.user, text=text
                ),
            )

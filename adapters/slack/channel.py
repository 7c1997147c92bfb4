"""Slack as a channel: hears over Socket Mode or HTTP, shows replies in threads."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from adapters.shared.paced import PacedReply
from adapters.shared.pacing import Gate
from adapters.slack.blocks import footer
from adapters.slack.calls import Refused, Unanswered, asking_client
from adapters.slack.desk import Desk
from adapters.slack.http import routes
from adapters.slack.installations import Installations, Seal
from adapters.slack.listeners import Listeners
from adapters.slack.pane import Pane
from adapters.slack.reply import replying
from adapters.slack.settings import SlackSettings
from adapters.slack.showing import Rotation, Showing, noted
from adapters.slack.thread import Place, Thread
from adapters.slack.words import ANSWER, ATTACHED
from adapters.slack.workspaces import Workspace, Workspaces
from bot.errors import ChannelError, ChannelGone, ConfigError, StoreError
from bot.ports import Core, HasAddress
from bot.types import ConversationKey, Delivery, StoredMessage, Turn

AMBIGUOUS_SECONDS = 1.0  # so long after a lost answer a message is surely visible where it was posted
MOST_LIVE = 2_000
RECENT = 60
EDITS_APART = 0.05  # seconds between two calls that edit in one workspace
STATUS_SECONDS = 1.0
LONGEST_AGO = timedelta(hours=1)
SCHEDULE = "schedule"


class SlackChannel:
    name = "slack"

    def __init__(self, desk: Desk, app: AsyncApp, installations: Installations | None) -> None:
        self._desk = desk
        self._app = app
        self._live: OrderedDict[str, Showing] = OrderedDict()
        self.routes = routes(desk, app, installations)

    async def listen(self) -> None:
        """Hear until cancelled. Over HTTP the web server hears."""
        token = self._desk.settings.app_token
        if token is None and not any(isinstance(channel, HasAddress) for channel in self._desk.core.channels.values()):
            raise ConfigError("Slack calls over HTTP, so a web server is needed: add `web: {}` to `channels`")
        if token is None:
            await asyncio.Event().wait()
            return
        client = asking_client(None, self._desk.settings.api_url)
        handler = AsyncSocketModeHandler(self._app, token.get_secret_value(), web_client=client, ping_interval=10)
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt leaves it untyped
            await asyncio.Event().wait()
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call] # likewise

    @asynccontextmanager
    async def reply(self, turn: Turn) -> AsyncIterator[PacedReply]:
        question = await self._question(turn.conversation, turn.id)
        place = _place(turn.conversation, question)
        workspace = await self._desk.workspaces.get(place.team)
        showing = self._live.get(turn.id) or self._showing(workspace, place, turn.id)
        showing.is_answer = True
        showing.note = lambda shown: self._desk.core.store.turns.place(turn, shown)
        if turn.attempt > 1 or turn.shown is not None:
            await self._go_on(showing, turn=turn.id, shown=turn.shown, question=question)
        self._keep(turn.id, showing)
        pane = Pane(workspace)
        status = asyncio.create_task(self._announce(pane, place, turn, question), name=f"status {turn.id}")
        settings = self._desk.settings
        every = timedelta(seconds=settings.append_seconds if showing.native else settings.edit_seconds)
        try:
            async with replying(showing, every=every, gate=self._desk.edits, key=place.team) as reply:
                yield reply
        finally:
            await asyncio.wait({status}, timeout=STATUS_SECONDS)  # also what is answered at once gets its title
            status.cancel()
            await asyncio.wait({status})
            await self._take_back(showing, turn.id, place, pane)

    async def deliver(self, delivery: Delivery) -> None:
        question = await self._question(delivery.conversation, delivery.turn)
        place = _place(delivery.conversation, question)
        workspace = await self._desk.workspaces.get(place.team)
        showing = self._live.get(delivery.turn)
        if showing is None:
            showing = self._showing(workspace, place, delivery.turn)
            self._keep(delivery.turn, showing)
            showing.lost = delivery.may_be_seen or delivery.shown is not None
            showing.is_answer = delivery.shown is not None
        if showing.lost:
            await asyncio.sleep(AMBIGUOUS_SECONDS)
            await self._look(showing, turn=delivery.turn, shown=delivery.shown, question=question)
        showing.note = _nowhere
        conversation = await self._desk.core.store.conversations.get(delivery.conversation)
        try:
            await self._finish(showing, delivery, locale=conversation.locale if conversation else None)
        except Unanswered:
            showing.lost = True
            raise
        self._live.pop(delivery.turn, None)
        await Pane(workspace).rest(place)

    async def _finish(self, showing: Showing, delivery: Delivery, *, locale: str | None) -> None:
        message, longest = delivery.message, self._desk.settings.file_over
        text = message.text if message.text.strip() else "…"
        below = footer(delivery, rated=showing.is_answer, locale=locale)
        if len(text) > longest and not showing.is_streaming:
            beginning = f"{text[: longest // 4].rstrip()} …\n\n_{ATTACHED.pick(locale)}_"
            await showing.finish(beginning, below)
        else:
            await showing.finish(text, below)
        if len(text) > longest:
            await showing.attach(_file(delivery.turn), text, title=ANSWER.pick(locale))

    async def _go_on(self, showing: Showing, *, turn: str, shown: str | None, question: StoredMessage | None) -> None:
        """Take up what earlier attempts left; where Slack does not say, the delivery looks again."""
        if showing.parts and not showing.lost:
            await showing.restart()
            return
        try:
            await self._look(showing, turn=turn, shown=shown, question=question)
        except ChannelError:
            showing.lost = True

    async def _look(self, showing: Showing, *, turn: str, shown: str | None, question: StoredMessage | None) -> None:
        """Look up what is visible; where Slack may not be asked, go by what was noted."""
        try:
            await showing.find(since=question.at if question else datetime.now(UTC) - LONGEST_AGO, file=_file(turn))
        except (ChannelGone, Refused):
            if shown is None:
                raise
            showing.adopt(noted(shown))

    def _showing(self, workspace: Workspace, place: Place, turn: str) -> Showing:
        settings = self._desk.settings
        thread = Thread(workspace.post, place, turn, bot_user=workspace.bot_user, gate=self._desk.posts)
        rotation = Rotation(seconds=settings.rotate_seconds, chars=settings.rotate_chars)
        return Showing(thread=thread, note=_nowhere, rotation=rotation, native=place.thread is not None)

    async def _take_back(self, showing: Showing, turn: str, place: Place, pane: Pane) -> None:
        """Nothing stays of a reply whose question was deleted meanwhile."""
        with suppress(StoreError, ChannelError):
            if await self._desk.core.store.turns.get(turn) is None:
                self._live.pop(turn, None)
                await pane.rest(place)
                await showing.withdraw()

    async def _announce(self, pane: Pane, place: Place, turn: Turn, question: StoredMessage | None) -> None:
        said = await self._desk.core.store.conversations.messages(turn.conversation, limit=RECENT)
        async with asyncio.TaskGroup() as group:
            group.create_task(pane.think(place, locale=turn.locale))
            if question is not None and not any(message.role == "assistant" for message in said):
                group.create_task(pane.name(place, question.text))

    async def _question(self, key: ConversationKey, turn: str) -> StoredMessage | None:
        """The newest question of a turn; what was heard before it has the same turn."""
        said = await self._desk.core.store.conversations.messages(key, limit=RECENT)
        asked = (m for m in reversed(said) if m.role == "user" and m.turn == turn and m.author_id != SCHEDULE)
        return next(asked, None)

    def _keep(self, turn: str, showing: Showing) -> None:
        """Replies that others finished are let go in the end."""
        self._live[turn] = showing
        while len(self._live) > MOST_LIVE:
            self._live.popitem(last=False)


def _place(key: ConversationKey, question: StoredMessage | None) -> Place:
    return Place(team=key.tenant, channel=key.room, thread=key.thread, asker=question.author_id if question else None)


def _file(turn: str) -> str:
    return f"answer-{turn}.md"


async def _nowhere(shown: str) -> None:
    return None


@asynccontextmanager
async def open_slack(settings: SlackSettings, core: Core) -> AsyncIterator[SlackChannel]:
    """The channel with its tokens tried. Raises ConfigError: what is missing or wrong is known before it starts."""
    settings.require_whole()
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)  # it warns of events that we pass over on purpose
    installations: Installations | None = None
    if settings.is_shared and settings.encryption_key is not None:
        installations = Installations(core.store.vault, Seal(settings.encryption_key.get_secret_value()))
    workspaces = Workspaces(settings, installations)
    await workspaces.check()
    async with aiohttp.ClientSession() as http:
        desk = Desk(
            core=core,
            settings=settings,
            workspaces=workspaces,
            http=http,
            posts=Gate(every=timedelta(seconds=settings.post_seconds)),
            edits=Gate(every=timedelta(seconds=EDITS_APART)),
        )
        yield SlackChannel(desk, Listeners(desk).app(), installations)

"""The stand-in itself: starts on a free port of the loopback, and shows what came of it all."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from tests.slack.platform import payloads
from tests.slack.platform.delivery import Courier, Delivery
from tests.slack.platform.events import HttpEvents
from tests.slack.platform.faults import Faults
from tests.slack.platform.hands import Hands
from tests.slack.platform.ids import Ids
from tests.slack.platform.limits import Limits
from tests.slack.platform.people import People
from tests.slack.platform.scopes import is_sent
from tests.slack.platform.settings import Settings
from tests.slack.platform.side_doors import SideDoors
from tests.slack.platform.sockets import Reason, Sockets
from tests.slack.platform.things import Channel, Json, Message, Session, Team, User
from tests.slack.platform.tokens import Tokens
from tests.slack.platform.web_api import Call, WebApi
from tests.slack.platform.workspace import Workspace


class SlackPlatform(People, Hands):
    """Slack with one workspace and the app installed in it.

    `api_url` takes the place of https://slack.com/api/. Events go by Socket Mode until `use_http`.
    """

    def __init__(self, settings: Settings | None = None, *, seed: int = 0) -> None:
        self.settings = settings or Settings()
        self.faults = Faults(seed)
        self.signing_secret = "signing-secret-of-the-stand-in"
        ids = Ids()
        self.workspace = Workspace(
            settings=self.settings,
            ids=ids,
            tokens=Tokens(ids, self.settings),
            announce=self._announce,
            app_id=ids.new("A"),
        )
        team = self.team("Acme")
        self.app_id = self.workspace.app_id
        self.bot_token = self.workspace.tokens.issue("bot", team.id).value
        self.app_token = self.workspace.tokens.issue("app", None).value
        self.sockets = Sockets(self.workspace, seed=seed)
        self.courier = Courier(self.settings, self.faults, self.sockets)
        self._web_api = WebApi(self.workspace, Limits(self.settings), self.faults)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.post("/api/{method}", self._web_api.handle),
                web.get("/api/{method}", self._web_api.handle),
                web.get("/link/", self.sockets.handle),
                *SideDoors(self.workspace, self.faults).routes(),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.workspace.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.courier.stop()
        finally:
            await self.sockets.close()
            await self.http.close()
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"{self.workspace.base_url}/api/"

    @property
    def authorize_url(self) -> str:
        """Where a person would install the app."""
        return f"{self.workspace.base_url}/oauth/v2/authorize"

    def use_http(self, request_url: str) -> HttpEvents:
        """Delivers over HTTP from now on; gives back the sender, for challenges and forgeries."""
        sender = HttpEvents(request_url, self.http, self.settings, signing_secret=self.signing_secret)
        self.courier.carrier = sender
        return sender

    async def disconnect(self, reason: Reason = "refresh_requested", *, grace: float = 0.2) -> None:
        """Slack asks every Socket Mode connection to leave, then closes it."""
        await self.sockets.disconnect(reason, grace=grace)

    @property
    def calls(self) -> list[Call]:
        """Every Web API call so far, in the order of arrival."""
        return self._web_api.calls

    def calls_to(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def unknown_calls(self) -> list[Call]:
        """The calls of methods that the stand-in doesn't know; a test of an adapter wants none."""
        return [call for call in self.calls if call.error == "unknown_method"]

    @property
    def deliveries(self) -> list[Delivery]:
        """Every attempt to deliver, with its times."""
        return self.courier.deliveries

    async def settle(self) -> None:
        """Returns when every event is acknowledged or given up, redeliveries included."""
        await self.courier.settle()

    def ack_seconds(self, percent: float) -> float:
        """The time that this share of the acknowledgements stayed within."""
        return self.courier.percentile(percent)

    def messages(self, channel: Channel, thread: str | None = None) -> list[Message]:
        """All messages of a channel, or the root and the replies of a thread, oldest first, as they stand."""
        return channel.thread(thread) if thread is not None else list(channel.messages.values())

    def answers(self, channel: Channel, thread: str | None = None) -> list[Message]:
        """The app's own messages."""
        own = self.workspace.team_of(channel).bot_id
        return [message for message in self.messages(channel, thread) if message.bot_id == own]

    def ephemerals(self, user: User) -> list[Message]:
        """What only this person sees, oldest first."""
        return [message for message in self.workspace.ephemerals if message.only_for == user.id]

    def home_view(self, user: User) -> Json | None:
        view = self.workspace.homes.get(user.id)
        return None if view is None else view.content

    def status(self, channel: Channel, thread: str) -> str:
        """What the thread shows as the app's status at this moment; empty for nothing."""
        status = self.workspace.statuses.get((channel.id, thread))
        return status.text if status is not None and time.monotonic() < status.ends_at else ""

    def session(self, channel: Channel, thread: str) -> Session | None:
        return self.workspace.sessions.get((channel.id, thread))

    def title(self, channel: Channel, thread: str) -> str | None:
        return self.workspace.titles.get((channel.id, thread))

    def prompts(self, channel: Channel) -> list[Json]:
        """The suggested prompts that stand in a DM."""
        shown = self.workspace.prompts.get(channel.id)
        return shown.prompts if shown is not None else []

    async def until(self, done: Callable[[], object], *, seconds: float = 30) -> None:
        """Returns when `done` holds; TimeoutError when it doesn't in time."""
        async with asyncio.timeout(seconds):
            while not done():
                await asyncio.sleep(0.005)

    async def finished(
        self, channel: Channel, thread: str | None = None, *, count: int = 1, seconds: float = 30
    ) -> list[Message]:
        """The app's messages, once there are so many and none is live any more."""

        def done() -> bool:
            found = self.answers(channel, thread)
            return len(found) >= count and all(message.streaming != "in_progress" for message in found)

        await self.until(done, seconds=seconds)
        return self.answers(channel, thread)

    def _announce(self, team_id: str, event: Json) -> None:
        team: Team = self.workspace.teams[team_id]
        heard = is_sent(event, scopes=self.settings.scopes, subscribed=self.settings.events)
        if heard and self.workspace.tokens.installed(team_id):
            self.courier.event(payloads.event_callback(team, event, app_id=self.app_id, ids=self.workspace.ids))

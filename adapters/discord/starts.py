"""When a shard may begin a new session: one after the other, within what Discord still gives and what we allow us."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog
from discord.http import HTTPClient, Route

from adapters.discord.sessions import Sessions
from bot.ports import Offices
from bot.types import new_id

APART = timedelta(seconds=5)  # in which Discord takes `at_once` new sessions
RESERVE = 20  # Discord resets the token of who asks for one too many; other shards may ask at the same moment
LONGEST_SLEEP = 600

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What Discord still gives the application: `remaining` sessions until `reset_after`."""

    remaining: int
    reset_after: timedelta
    at_once: int

    @property
    def wait(self) -> timedelta:
        return self.reset_after if self.remaining <= RESERVE else timedelta()


class Starts:
    """Of one shard."""

    def __init__(self, http: HTTPClient, offices: Offices, sessions: Sessions, *, application: str, shard: int) -> None:
        self._http = http
        self._offices = offices
        self._sessions = sessions
        self._application = application
        self._shard = shard
        self._office = self._holder = ""

    async def turn(self) -> None:
        """Return when the shard may begin a session, which is counted. Raises StoreError, discord.HTTPException."""
        while True:
            allowance = await self._ask()
            if await self._queue(allowance.at_once):
                allowance = await self._ask()
            wait = allowance.wait or await self._sessions.may_identify()
            if not wait:
                return
            log.warning(
                "too many new sessions with Discord; the next has to wait",
                shard=self._shard,
                left=allowance.remaining,
                wait=str(wait),
            )
            await asyncio.sleep(min(wait.total_seconds(), LONGEST_SLEEP))

    async def begin(self) -> None:
        """Called right before the session is asked for: from then on Discord counts, however long connecting took."""
        while not await self._hold():  # noqa: ASYNC110 # a lease is polled
            await asyncio.sleep(APART.total_seconds() / 5)

    async def _queue(self, at_once: int) -> bool:
        """Wait for this shard's turn among those that Discord counts together. Whether that took time."""
        self._office = f"discord.identify.{self._application}.{self._shard % at_once}"
        self._holder, waited = new_id(), False
        while not await self._hold():
            waited = True
            await asyncio.sleep(APART.total_seconds() / 5)
        return waited

    async def _hold(self) -> bool:
        return await self._offices.hold(self._office, holder=self._holder, lease=APART)

    async def _ask(self) -> Allowance:
        told = (await self._http.request(Route("GET", "/gateway/bot")))["session_start_limit"]
        return Allowance(
            remaining=told["remaining"],
            reset_after=timedelta(milliseconds=told["reset_after"]),
            at_once=max(1, told["max_concurrency"]),
        )

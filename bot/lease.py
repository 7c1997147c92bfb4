"""The lease on a conversation: kept alive while its turns run, and looked at before anything that people see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.errors import LeaseLost, StoreError
from bot.ports import Claims, ReplyStream
from bot.types import Claim

log = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a claim holds, and how often it is renewed."""

    lease: timedelta = timedelta(seconds=15)
    renew: timedelta = timedelta(seconds=5)


class Lease:
    """A claim's lease as its holder knows it: by a clock that also runs while the process is paused."""

    def __init__(self, claims: Claims, claim: Claim, terms: Terms) -> None:
        self._claims = claims
        self._claim = claim
        self._terms = terms
        self._loop = asyncio.get_running_loop()
        self._renewed_at = self._loop.time()

    async def ensure(self) -> None:
        """Return with enough of the lease left to act on it. Raises LeaseLost, StoreUnavailable."""
        if self._loop.time() - self._renewed_at > self._terms.lease.total_seconds() / 2:
            await self._renew()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Renew it again and again; where it is lost, interrupt the work with LeaseLost."""
        worker = asyncio.current_task()
        lost: LeaseLost | None = None

        async def renew() -> None:
            nonlocal lost
            while True:
                try:
                    await self._renew()
                except LeaseLost as error:
                    lost = error
                    if worker is not None:
                        worker.cancel()
                    return
                except StoreError as error:
                    log.warning("lease not renewed", conversation=self._claim.conversation.encode(), error=str(error))
                await asyncio.sleep(self._terms.renew.total_seconds())

        renewal: asyncio.Task[None] | None = None

        def begin() -> None:
            nonlocal renewal
            renewal = asyncio.create_task(renew())

        timer = self._loop.call_later(self._terms.renew.total_seconds(), begin)
        try:
            yield
        except asyncio.CancelledError:
            if lost is None or worker is None or worker.uncancel() > 0:
                raise
            raise lost from None
        finally:
            timer.cancel()
            if renewal is not None:
                renewal.cancel()
                await asyncio.wait({renewal})

    async def _renew(self) -> None:
        asked_at = self._loop.time()
        await self._claims.renew(self._claim, lease=self._terms.lease)
        self._renewed_at = asked_at


@dataclass(frozen=True, slots=True)
class Fenced:
    """A reply that shows nothing once its holder lost the conversation, however late the holder learns of it."""

    reply: ReplyStream
    lease: Lease

    async def write(self, text: str) -> None:
        await self.lease.ensure()
        await self.reply.write(text)

    async def replace(self, text: str) -> None:
        await self.lease.ensure()
        await self.reply.replace(text)

"""Switches one mechanism off in this process, to see that the harness notices."""

import sys
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, select, text

from bot.ports import Inbox
from bot.types import Accepted, Claim, ConversationKey, Inbound, Person, Turn, new_id
from storage.sql import SqlStore
from storage.sql.models import conversations
from storage.sql.prepared import Prepared

Mechanism = Literal["fence", "dedupe", "reconcile", "claim"]

_ANYBODY = Prepared(
    select(conversations.c.locale, conversations.c.memory, conversations.c.since).where(
        conversations.c.key == bindparam("conversation")
    )
)
_FREE_ALL = text("UPDATE conversations SET lease_until = 0")


def without_fence() -> None:
    """Every write with a claim is taken, whoever holds the conversation by now."""

    def anybody(connection: Connection, claim: Claim) -> Any:
        return _ANYBODY.first(connection, {"conversation": claim.conversation.encode()})

    for name, module in list(sys.modules.items()):
        if name.startswith("storage.sql.") and callable(getattr(module, "fence", None)):
            setattr(module, "fence", anybody)  # noqa: B010 - a module has no attributes that mypy knows


def without_claims(store: SqlStore) -> None:
    """Nobody's lease holds."""
    claim = store.claims.claim

    async def claim_whatever(*args: Any, **options: Any) -> Any:
        await store.database.write(lambda connection: connection.execute(_FREE_ALL))
        return await claim(*args, **options)

    setattr(store.claims, "claim", claim_whatever)  # noqa: B010 - an assignment that mypy need not follow


class ForgetfulInbox:
    """Takes every delivery of an event for a new one."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def accept(self, inbound: Inbound) -> Accepted | None:
        return await self._inbox.accept(replace(inbound, event_id=new_id(), message_id=None))

    async def stop(self, turn: str) -> Turn | None:
        return await self._inbox.stop(turn)

    async def rate(self, turn: str, rating: Literal["up", "down"], *, comment: str | None = None) -> bool:
        return await self._inbox.rate(turn, rating, comment=comment)

    async def edit(self, inbound: Inbound) -> Accepted | None:
        return await self._inbox.edit(inbound)

    async def retract(self, channel: str, tenant: str, message_id: str) -> None:
        await self._inbox.retract(channel, tenant, message_id)

    async def erase(self, whom: ConversationKey | Person) -> None:
        await self._inbox.erase(whom)

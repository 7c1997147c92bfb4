"""The fence: a claim that another holder took, or whose conversation was erased, writes nothing."""

from typing import Any

from sqlalchemy import Connection, bindparam, select

from bot.errors import LeaseLost
from bot.types import Claim
from storage.sql.models import conversations
from storage.sql.prepared import Prepared

_HELD = Prepared(
    select(conversations.c.locale, conversations.c.memory, conversations.c.since)
    .where(
        conversations.c.key == bindparam("conversation"),
        conversations.c.epoch == bindparam("claimed"),
        conversations.c.holder == bindparam("by"),
    )
    .with_for_update()
)


def fence(connection: Connection, claim: Claim) -> Any:
    """Lock the claimed conversation for this transaction; the row has its `locale`, its `memory` version and
    `since`.

    Raises LeaseLost.

    Always the first statement: what follows then sees all that was committed before the lock was had.
    """
    key = claim.conversation.encode()
    row = _HELD.first(connection, {"conversation": key, "claimed": claim.epoch, "by": claim.holder})
    if row is None:
        raise LeaseLost(key, claim.epoch)
    return row

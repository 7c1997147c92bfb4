"""The fence: a claim that another holder took, or whose conversation was erased, writes nothing."""

from sqlalchemy import Connection, bindparam, select

from bot.errors import LeaseLost
from bot.types import Claim
from storage.sql.models import conversations
from storage.sql.rows import AnyRow

_HELD = (
    select(conversations.c.locale)
    .where(
        conversations.c.key == bindparam("conversation"),
        conversations.c.epoch == bindparam("claimed"),
        conversations.c.holder == bindparam("by"),
    )
    .with_for_update()
)


def fence(connection: Connection, claim: Claim) -> AnyRow:
    """Lock the claimed conversation for this transaction; the row has its `locale`. Raises LeaseLost.

    Always the first statement: what follows then sees all that was committed before the lock was had.
    """
    key = claim.conversation.encode()
    row = connection.execute(_HELD, {"conversation": key, "claimed": claim.epoch, "by": claim.holder}).one_or_none()
    if row is None:
        raise LeaseLost(key, claim.epoch)
    return row

"""What people may ask of their data: to see it, to have it deleted, and a proof that it is gone."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from bot.types import ConversationKey, Erased, Person, RatedTurn, Record


@runtime_checkable
class Scannable(Protocol):
    """A place beside the database that can be searched for what should be gone."""

    async def find(self, needle: str) -> int:
        """How many of its keys and values hold the text. Raises ConnectionError where it does not answer."""
        ...


class Records(Protocol):
    """All that is stored about a person or a conversation."""

    def export(self, whom: Person | ConversationKey) -> AsyncIterator[Record]:
        """Every record of a conversation, or of a person; each says in `record` what it is, times are ISO 8601.

        Kinds: conversation, turn, message, rating, summary, fact, each conversation's after it, oldest first. Of a
        conversation with several people a person gets the turns they asked in and the replies, no words of others;
        so no summary of it.
        """
        ...

    def rated(self, *, persona: str | None = None, since: datetime | None = None) -> AsyncIterator[RatedTurn]:
        """The rated answers of the model, those of one persona where it is named, rated at `since` or later; the
        oldest rating first. Not what was stopped or failed, nor what Parley itself said."""
        ...

    async def erase(self, whom: Person | ConversationKey) -> Erased:
        """Delete all of it, and fence out the turns that run.

        Of a person go the turns they asked in, whole, with the facts, ratings, inbox and outbox rows and summaries
        that rest on them. A conversation that is theirs alone, or that has nothing left, goes whole.
        """
        ...

    async def expire(self, *, keep: timedelta | None, personas: Mapping[str, timedelta] | None = None) -> int:
        """Delete turns that were finished longer ago than `keep`, and conversations that long without any.

        `personas` have their own times, by their names; None keeps. A summary goes with the oldest turn that it
        covers, and a new one is wanted. Small transactions of up to 500 rows. How many turns and conversations went.
        """
        ...

    async def find(self, needle: str) -> Mapping[str, int]:
        """For every column that can hold it, as `table.column`, in how many rows the text stands; and for every
        file of the database, as `file NAME`, how often."""
        ...

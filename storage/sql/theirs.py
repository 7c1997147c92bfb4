"""Which rows are a person's."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select, union

from bot.types import ConversationKey, Person
from storage.sql.models import conversations, messages


def conversations_of(connection: Connection, whom: Person | ConversationKey) -> list[str]:
    """The keys of the conversations in which they wrote, or which are theirs, in order."""
    if isinstance(whom, ConversationKey):
        query: Any = select(conversations.c.key).where(conversations.c.key == whom.encode())
    else:
        wrote = (
            select(messages.c.conversation.label("key"))
            .join(conversations, conversations.c.key == messages.c.conversation)
            .where(messages.c.author_id == whom.id, _there(whom))
        )
        query = union(wrote, select(conversations.c.key).where(conversations.c.visitor == whom.id, _there(whom)))
    return sorted(connection.execute(query).scalars())


def is_theirs_alone(connection: Connection, conversation: str, whom: Person | ConversationKey) -> bool:
    """Whether nobody else wrote there; a message whose author is not known counts as another's."""
    if isinstance(whom, ConversationKey):
        return True
    others = exists().where(
        messages.c.conversation == conversation,
        messages.c.rank == 0,
        or_(messages.c.author_id.is_(None), messages.c.author_id != whom.id),
    )
    own = select(or_(conversations.c.visitor == whom.id, ~others)).where(conversations.c.key == conversation)
    return bool(connection.execute(own).scalar())


def turns_of(conversation: str, person: Person) -> Select[int]:
    """The places of the turns they asked in."""
    return (
        select(messages.c.turn_seq)
        .distinct()
        .where(messages.c.conversation == conversation, messages.c.rank == 0, messages.c.author_id == person.id)
    )


def _there(person: Person) -> ColumnElement[bool]:
    on_channel = conversations.c.channel == person.channel
    return on_channel if person.tenant is None else and_(on_channel, conversations.c.tenant == person.tenant)

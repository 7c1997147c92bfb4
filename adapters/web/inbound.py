"""What a visitor sends becomes an `Inbound`."""

from datetime import datetime

from bot.types import Author, Conversation, ConversationKey, Inbound


def key_of(conversation: str) -> ConversationKey:
    """The key of a widget conversation by its id."""
    return ConversationKey(channel="web", tenant="default", room=conversation)


def parse(conversation: Conversation, *, client_id: str, text: str, now: datetime) -> Inbound:
    """The message of a visitor. The same `client_id` in the same conversation is the same delivery."""
    room = conversation.key.room
    return Inbound(
        event_id=f"{room}:{client_id}",
        conversation=conversation.key,
        author=Author(id=conversation.visitor or room, name=conversation.visitor or ""),
        text=text,
        locale=conversation.locale,
        received_at=now,
    )

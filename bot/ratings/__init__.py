"""What people rated as good, as chats to learn from: with leave, and without what tells who they are."""

from bot.ratings.chats import Chat, LeftOut, chat_of

__all__ = ["Chat", "LeftOut", "chat_of"]

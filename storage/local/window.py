"""The memory of the conversations that this process answered last."""

from collections import OrderedDict

from bot.types import ConversationKey, Memory


class LocalWindow:
    """At most `conversations`, with at most `characters` of text in all: the least recently used goes first."""

    def __init__(self, *, conversations: int, characters: int) -> None:
        self._most_conversations = conversations
        self._most_characters = characters
        self._memories: OrderedDict[ConversationKey, tuple[Memory, int]] = OrderedDict()
        self._characters = 0

    @property
    def characters(self) -> int:
        return self._characters

    async def get(self, conversation: ConversationKey) -> Memory | None:
        if conversation not in self._memories:
            return None
        self._memories.move_to_end(conversation)
        return self._memories[conversation][0]

    async def put(self, conversation: ConversationKey, memory: Memory) -> None:
        self._drop(conversation)
        size = _size(memory)
        self._memories[conversation] = memory, size
        self._characters += size
        while len(self._memories) > self._most_conversations or self._characters > self._most_characters:
            self._drop(next(iter(self._memories)))

    async def forget(self, conversation: ConversationKey) -> None:
        self._drop(conversation)

    def _drop(self, conversation: ConversationKey) -> None:
        _, size = self._memories.pop(conversation, (None, 0))
        self._characters -= size


def _size(memory: Memory) -> int:
    sources = sum(len(source.text) for message in memory.messages for source in message.sources)
    facts = sum(len(name) + len(value) for name, value in memory.facts.items())
    summary = len(memory.summary.text) if memory.summary else 0
    return sum(len(message.text) for message in memory.messages) + sources + facts + summary

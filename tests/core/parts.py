"""Small parts for tests of the core."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.errors import UnknownPersona, UnsupportedClaim
from bot.types import (
    Answer,
    ConversationKey,
    LocalText,
    Memory,
    Passage,
    Persona,
    Rate,
    Source,
    StoredMessage,
    Turn,
    TurnState,
    Work,
)

KEY = ConversationKey(channel="fake", tenant="t", room="r")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PASSAGE = Passage(id="p1", text="Returns take 30 days.", path="kb/returns.md", heading=("Returns",))


def make_persona(**fields: object) -> Persona:
    base: dict[str, object] = {
        "name": "helper",
        "version": "v1",
        "title": LocalText({"en": "Helper", "zh-CN": "助手"}),
        "description": "helps",
        "languages": ("en", "zh-CN"),
        "instructions": LocalText({"en": "Help."}),
        "when_unsure": LocalText({"en": "I am not sure.", "zh-CN": "我不确定。"}),
    }
    return Persona(**{**base, **fields})  # type: ignore[arg-type] # keyword dict for brevity


def make_work(text: str = "How long?", *, history: tuple[StoredMessage, ...] = (), attempt: int = 1) -> Work:
    turn = Turn(
        id="t1",
        conversation=KEY,
        persona="helper",
        persona_version=None,
        state=TurnState.RUNNING,
        attempt=attempt,
        epoch=1,
    )
    question = StoredMessage(id="m1", role="user", text=text, turn="t1", at=NOW, author="Ann")
    return Work(turn=turn, question=(question,), memory=Memory(messages=history))


class OnePersona:
    def __init__(self, persona: Persona | None = None) -> None:
        self.persona = persona or make_persona()

    def get(self, name: str) -> Persona:
        if name != self.persona.name:
            raise UnknownPersona(name)
        return self.persona

    def all(self) -> tuple[Persona, ...]:
        return (self.persona,)


class SentenceGuard:
    """Lets whole sentences through and refuses any with the word `wrong`."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._rest = ""
        self._passages = passages

    def write(self, text: str) -> str:
        self._rest += text
        end = self._rest.rfind(".") + 1
        ready, self._rest = self._rest[:end], self._rest[end:]
        if "wrong" in ready:
            raise UnsupportedClaim("wrong")
        return ready

    def finish(self) -> str:
        if "wrong" in self._rest:
            raise UnsupportedClaim("wrong")
        return self._rest

    def sources(self) -> tuple[Source, ...]:
        return tuple(Source(title=" > ".join(p.heading), path=p.path, text=p.text) for p in self._passages)


class DictWindow:
    """Keeps every memory; `hits` counts those that were found."""

    def __init__(self) -> None:
        self.kept: dict[ConversationKey, Memory] = {}
        self.hits = 0

    async def get(self, conversation: ConversationKey) -> Memory | None:
        self.hits += conversation in self.kept
        return self.kept.get(conversation)

    async def put(self, conversation: ConversationKey, memory: Memory) -> None:
        self.kept[conversation] = memory

    async def forget(self, conversation: ConversationKey) -> None:
        self.kept.pop(conversation, None)


class CountingLimiter:
    """Lets `left` messages through, and none after."""

    def __init__(self, left: int = 1_000_000) -> None:
        self.left = left

    async def take(self, buckets: Mapping[str, Rate]) -> timedelta:
        self.left -= 1
        return timedelta() if self.left >= 0 else timedelta(seconds=7)


class WordKnowledge:
    """Finds PASSAGE for questions that hold one of its words; remembers what was searched."""

    def __init__(self, *words: str) -> None:
        self._words = words or ("long", "return")
        self.searched: list[str] = []

    async def search(self, persona: Persona, question: str) -> tuple[Passage, ...]:
        self.searched.append(question)
        return (PASSAGE,) if any(word in question for word in self._words) else ()

    def guard(self, persona: Persona, question: str, passages: Sequence[Passage]) -> SentenceGuard:
        return SentenceGuard(passages)

    def quote(self, persona: Persona, question: str, passages: Sequence[Passage], *, locale: str | None) -> Answer:
        if passages:
            return Answer(text=f"“{passages[0].text}”", sources=SentenceGuard(passages).sources())
        assert persona.when_unsure is not None
        return Answer(text=persona.when_unsure.pick(locale))

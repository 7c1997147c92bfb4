"""What every Window keeps to. Subclass `WindowContract` and give it a `window` fixture."""

from bot.ports import Window
from bot.types import Memory, Source, StoredMessage, Summary
from tests.conformance.samples import SENT_AT, key


def memory(version: int = 1, *, text: str = "What is a fraction? 分数", messages: int = 2) -> Memory:
    source = Source(title="Fractions", path="kb/fractions.md", text="A fraction is a part of a whole.")
    said = [
        StoredMessage(
            id=f"m{number}",
            role="user" if number % 2 == 0 else "assistant",
            text=text,
            turn=f"t{number // 2}",
            at=SENT_AT,
            author="Ann" if number % 2 == 0 else None,
            sources=() if number % 2 == 0 else (source,),
        )
        for number in range(messages)
    ]
    return Memory(
        version=version,
        messages=tuple(said),
        summary=Summary(covers="t0", text="They greeted."),
        facts={"name": "Ann"},
    )


class WindowContract:
    async def test_what_was_put_comes_back_whole(self, window: Window) -> None:
        for kept in (memory(), Memory(), Memory(version=7, facts={"": "é\n\x00"})):
            await window.put(key(), kept)
            assert await window.get(key()) == kept

    async def test_what_was_never_put_is_not_there(self, window: Window) -> None:
        await window.put(key("other"), memory())
        assert await window.get(key()) is None

    async def test_the_newest_put_counts(self, window: Window) -> None:
        await window.put(key(), memory(1))
        await window.put(key(), memory(2, text="later"))
        assert await window.get(key()) == memory(2, text="later")

    async def test_what_was_forgotten_is_gone_and_only_that(self, window: Window) -> None:
        await window.put(key("a"), memory())
        await window.put(key("b"), memory())
        await window.forget(key("a"))
        await window.forget(key("never there"))
        assert await window.get(key("a")) is None
        assert await window.get(key("b")) == memory()

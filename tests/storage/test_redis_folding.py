"""Whatever is folded or dropped to keep a buffer small, every reader sees the same text."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import CursorLost
from bot.types import Delta, LiveEvent, TurnReplaced, new_id
from storage.redis import RedisBus, RedisSettings, open_shared
from tests.conformance.bus import append, finished, shown, started
from tests.conformance.samples import key
from tests.redis_server import RedisServer

words = st.text(max_size=6)
more = st.lists(st.tuples(st.just("say"), words), min_size=10, max_size=25)
other = st.one_of(
    st.tuples(st.sampled_from(["replace", "finish"]), words), st.tuples(st.sampled_from(["again", "read"]), st.just(""))
)
steps = st.lists(st.tuples(more, other), min_size=1, max_size=6).map(
    lambda parts: [step for said, last in parts for step in (*said, last)]
)


class Reader:
    """Reads on from where it stopped; anew where its cursor is lost."""

    def __init__(self, bus: RedisBus, room: str) -> None:
        self.bus, self.room = bus, room
        self.seen: list[LiveEvent] = []
        self.cursor: str | None = None

    async def read(self, newest: LiveEvent, text: str) -> None:
        """Until `newest` or what stands for it was read; the text is `text` then."""
        async with asyncio.timeout(30):
            while not self._has(newest):
                try:
                    async with self.bus.follow(key(self.room), after=self.cursor) as followed:
                        while not self._has(newest):
                            self.cursor, event = await anext(followed)
                            self.seen.append(event)
                except CursorLost:
                    self.seen, self.cursor = [], None
        assert shown(self.seen) == text

    def _has(self, newest: LiveEvent) -> bool:
        last = self.seen[-1] if self.seen else None
        if isinstance(newest, Delta) and isinstance(last, TurnReplaced):
            return (last.turn, last.attempt, last.seq) == (newest.turn, newest.attempt, newest.seq)
        return last == newest


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_every_reader_sees_the_same_text(redis_server: RedisServer, steps: list[tuple[str, str]]) -> None:
    small = RedisSettings(url=redis_server.url, events=16, buffer_bytes=4000)
    room = new_id()
    async with open_shared(small) as writer, open_shared(small) as other:
        reader = Reader(other.bus, room)
        turn, attempt, seq, text = 1, 1, 0, ""
        newest: LiveEvent = started("t1")
        await append(writer.bus, newest, room=room)
        for step, word in steps:
            match step:
                case "say":
                    seq, text = seq + 1, text + word
                    newest = Delta(turn=f"t{turn}", attempt=attempt, seq=seq, text=word)
                case "replace":
                    seq, text = seq + 1, word
                    newest = TurnReplaced(turn=f"t{turn}", attempt=attempt, seq=seq, text=word)
                case "finish":
                    await append(writer.bus, finished(f"t{turn}", word), room=room)
                    turn, attempt, seq, text = turn + 1, 1, 0, ""
                    newest = started(f"t{turn}")
                case "again":
                    attempt, seq, text = attempt + 1, 0, ""
                    newest = started(f"t{turn}", attempt)
                case _:
                    await reader.read(newest, text)
                    continue
            await append(writer.bus, newest, room=room)
        await reader.read(newest, text)
        await Reader(writer.bus, room).read(newest, text)

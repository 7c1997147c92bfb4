"""Cut streams, lost buffers, restarts, slow readers, shutdown: the reader always ends with the database's text."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import httpx
import pytest

from adapters.web.inbound import key_of
from bot.testing import ScriptedEngine
from bot.types import ConversationKey, Generated, Message, Prompt, Turn
from tests.adapters_web.house import NEW, Reader, Served, Visitor, read_events, serving

ANSWER = " ".join(f"word{number}" for number in range(60))


async def take(visitor: Visitor, reader: Reader, count: int) -> None:
    """Follow on from where the reader is, for at most `count` events."""
    async with asyncio.timeout(30), visitor.events(reader.cursor) as events:
        async for event in events:
            reader.take(event)
            count -= 1
            if count == 0 or event.name == "turn.finished":
                return


async def test_a_stream_cut_again_and_again_ends_with_the_stored_text(tmp_path: Path) -> None:
    async with serving(tmp_path, engine=ScriptedEngine(ANSWER, delay=0.01)) as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        reader = Reader()
        cuts = 0
        while turn not in reader.ends:
            await take(visitor, reader, 3)
            cuts += 1
        assert cuts > 5
        assert reader.texts[turn] == (await visitor.messages())[-1]["text"] == ANSWER
        assert "turn.replaced" not in reader.names[4:]


async def test_a_buffer_lost_in_the_middle_of_a_reply_is_made_good_from_the_database(tmp_path: Path) -> None:
    async with serving(tmp_path, engine=ScriptedEngine(ANSWER, delay=0.05), poll_seconds=0.2) as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        reader = Reader()
        await take(visitor, reader, 30)
        await served.core.bus.forget(key_of(visitor.id))
        before = len(reader.events)
        while turn not in reader.ends:
            await take(visitor, reader, 1000)
        assert "turn.replaced" in reader.names[before:]
        assert reader.texts[turn] == (await visitor.messages())[-1]["text"] == ANSWER


async def test_a_stream_that_is_open_while_the_buffer_is_lost_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path, engine=ScriptedEngine(ANSWER, delay=0.05), poll_seconds=0.2) as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        reader = Reader()
        async with asyncio.timeout(30), visitor.events() as events:
            async for event in events:
                reader.take(event)
                if len(reader.events) == 20:
                    await served.core.bus.forget(key_of(visitor.id))
                if event.name == "turn.finished":
                    break
        assert reader.texts == {turn: ANSWER}


async def test_after_a_restart_every_turn_since_the_cursor_ends_as_stored(tmp_path: Path) -> None:
    reader = Reader()
    async with serving(tmp_path, engine=ScriptedEngine(ANSWER, delay=0.01)) as served:
        visitor = await served.visitor()
        first = (await visitor.say("one", client_id="1"))["turn"]
        await take(visitor, reader, 5)
        turns = [first] + [(await visitor.say(text, client_id=text))["turn"] for text in ("two", "three")]
        await visitor.reply(turns[-1])
    async with serving(tmp_path, engine="unused") as served:
        again = Visitor(http=served.http, id=visitor.id, token=visitor.token, persona={})
        async with asyncio.timeout(30), again.events(reader.cursor) as events:
            async for event in events:
                reader.take(event)
                if turns[-1] in reader.ends:
                    break
    assert list(reader.ends) == turns
    assert set(reader.texts.values()) == {ANSWER}


async def test_a_turn_interrupted_by_a_stop_of_the_server_is_answered_again(tmp_path: Path) -> None:
    reader = Reader()
    async with serving(tmp_path, engine=ScriptedEngine("old " * 2000, delay=0.01)) as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        await take(visitor, reader, 10)
    async with serving(tmp_path, engine="new answer") as served:
        again = Visitor(http=served.http, id=visitor.id, token=visitor.token, persona={})
        while turn not in reader.ends:
            await take(again, reader, 1000)
    assert reader.texts == {turn: "new answer"}
    assert reader.ends == {turn: "done"}


@pytest.mark.parametrize("earlier", [0, 1])
async def test_a_turn_handed_back_is_told_to_a_reader_who_came_before_it_began_again(
    tmp_path: Path, earlier: int
) -> None:
    reader, said = Reader(), ["short"] * earlier + ["old " * 2000]
    script = iter(said)
    async with serving(tmp_path, engine=ScriptedEngine(lambda prompt: next(script), delay=0.01)) as served:
        visitor = await served.visitor()
        for number in range(earlier):
            await visitor.reply((await visitor.say("hi", client_id=str(number)))["turn"])
        turn = (await visitor.say("talk"))["turn"]
        while not reader.texts.get(turn):
            await take(visitor, reader, 5)
    async with serving(tmp_path, dispatch=False, poll_seconds=0.1) as served:
        again = Visitor(http=served.http, id=visitor.id, token=visitor.token, persona={})
        has_read, newest = asyncio.Event(), served.core.store.turns.newest

        async def noted(key: ConversationKey) -> Turn | None:
            found = await newest(key)
            has_read.set()
            return found

        served.core.store.turns.newest = noted  # type: ignore[method-assign] # tells when the stream has looked
        reading = asyncio.create_task(take(again, reader, 10_000))
        await has_read.wait()
        async with served.dispatching("new answer"):
            await reading
    assert reader.texts[turn] == "new answer"
    assert reader.ends[turn] == "done"


async def test_without_a_cursor_a_finished_turn_is_told_as_it_ended(tmp_path: Path) -> None:
    async with serving(tmp_path, engine="short") as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        await visitor.reply(turn)
        await served.core.bus.forget(key_of(visitor.id))
        reader = await visitor.reply(turn)
    assert reader.names == ["turn.finished"]
    assert reader.texts == {turn: "short"}


@pytest.mark.parametrize("after", ["junk", "~~", "a~b~c", "x" * 1000, "%00~t~1", "1-1~aaaaaaaaaaaaaaaaaaaa~1", "😀"])
async def test_a_made_up_cursor_begins_like_none(tmp_path: Path, after: str) -> None:
    async with serving(tmp_path, engine="short") as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        await visitor.reply(turn)
        assert (await visitor.reply(turn, after=after)).texts == {turn: "short"}


async def test_last_event_id_is_taken_as_the_cursor(tmp_path: Path) -> None:
    async with serving(tmp_path, engine="a b c d") as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        cursor = (await visitor.reply(turn)).events[-1].id
        second = (await visitor.say("more", client_id="c2"))["turn"]
        headers = {**visitor.auth, "Last-Event-ID": cursor}
        reader = Reader()
        async with (
            asyncio.timeout(30),
            served.http.stream("GET", f"{NEW}/{visitor.id}/events", headers=headers) as answer,
        ):
            async for event in read_events(answer):
                reader.take(event)
                if event.name == "turn.finished":
                    break
        assert set(reader.texts) == {second}


async def test_quiet_streams_beat(tmp_path: Path) -> None:
    async with serving(tmp_path, heartbeat_seconds=0.05) as served:
        visitor = await served.visitor()
        async with asyncio.timeout(30), visitor.events() as events:
            assert [(await anext(events)).name for _ in range(3)] == ["heartbeat"] * 3


async def test_the_end_is_told_even_where_the_bus_lost_it(tmp_path: Path) -> None:
    async with serving(tmp_path, engine=ScriptedEngine(ANSWER, delay=0.01), poll_seconds=0.1) as served:
        visitor = await served.visitor()
        append = served.core.bus.append
        lost: list[object] = []

        async def lossy(conversation: object, event: object) -> None:
            if type(event).__name__ == "TurnFinished":
                lost.append(event)
            else:
                await append(conversation, event)  # type: ignore[arg-type] # handed through

        served.core.bus.append = lossy  # type: ignore[method-assign] # the bus of this test loses ends
        turn = (await visitor.say("talk"))["turn"]
        reader = await visitor.reply(turn)
        assert len(lost) == 1
    assert reader.texts == {turn: ANSWER}
    assert reader.ends == {turn: "done"}


async def test_a_conversation_erased_elsewhere_closes_its_streams(tmp_path: Path) -> None:
    async with serving(tmp_path, revoke_seconds=0.1) as served:
        visitor = await served.visitor()
        async with asyncio.timeout(30), visitor.events() as events:
            await served.core.store.conversations.erase(key_of(visitor.id))
            assert [event async for event in events] == []


async def test_too_many_streams_of_a_conversation_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, max_streams_per_conversation=1) as served:
        visitor = await served.visitor()
        url = f"{NEW}/{visitor.id}/events"
        async with served.http.stream("GET", url, headers=visitor.auth) as answer:
            assert answer.status_code == 200
            assert (await served.http.get(url, headers=visitor.auth)).status_code == 429
        other = await served.visitor()
        async with served.http.stream("GET", f"{NEW}/{other.id}/events", headers=other.auth) as answer:
            assert answer.status_code == 200


async def _open_stream(visitor: Visitor, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = httpx.URL(address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"GET {NEW}/{visitor.id}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {visitor.token}\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()
    return reader, writer


async def test_a_reader_that_takes_nothing_is_cut_off_and_holds_nobody_up(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda _: " ".join(["x" * 20_000] * 400))
    async with serving(tmp_path, engine=engine, write_seconds=0.3) as served:
        visitor = await served.visitor()
        _, writer = await _open_stream(visitor, served.channel.address)
        turn = (await visitor.say("talk"))["turn"]
        reader = await visitor.reply(turn)
        assert len(reader.texts[turn]) > 8_000_000
        await _until(served, open_streams=0)
        writer.close()


async def _until(served: Served, *, open_streams: int) -> None:
    async with asyncio.timeout(30):
        while f"parley_web_streams {open_streams}.0" not in (await served.http.get("/metrics")).text:
            await asyncio.sleep(0.05)


async def test_a_reader_that_leaves_frees_its_stream(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        visitor = await served.visitor()
        _, writer = await _open_stream(visitor, served.channel.address)
        await _until(served, open_streams=1)
        writer.transport.abort()
        await _until(served, open_streams=0)


async def test_five_hundred_open_streams_end_orderly_and_quickly_on_shutdown(tmp_path: Path) -> None:
    clock = asyncio.get_running_loop().time
    async with serving(tmp_path, engine="short", max_streams_per_conversation=500) as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        await visitor.reply(turn)
        streams = [await _open_stream(visitor, served.channel.address) for _ in range(500)]
        for reader, _ in streams:
            assert b"turn.finished" in await reader.readuntil(b"}\n\n")
        began = clock()
    took = clock() - began
    for reader, writer in streams:
        assert (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()
    assert took < 10


class Hanging(ScriptedEngine):
    """Says one word and then nothing for ever."""

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        async for event in super().generate(prompt):
            yield event
            await asyncio.Event().wait()

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return 1


async def test_a_message_accepted_before_the_shutdown_is_still_there_after_it(tmp_path: Path) -> None:
    async with serving(tmp_path, engine=Hanging("never ends")) as served:
        visitor = await served.visitor()
        turns = [(await visitor.say(text, client_id=text))["turn"] for text in ("a", "b")]
    async with serving(tmp_path, engine="answer") as served:
        again = Visitor(http=served.http, id=visitor.id, token=visitor.token, persona={})
        assert (await again.reply(turns[-1])).ends[turns[-1]] == "done"
        assert [message["text"] for message in await again.messages()] == ["a", "answer", "b", "answer"]

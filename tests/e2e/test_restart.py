"""Kill the server in the middle of a reply: the browser ends with the whole answer, once."""

import asyncio
import signal
from contextlib import aclosing
from pathlib import Path

from tests.e2e.server import Client, running

ANSWER = " ".join(f"word{n}" for n in range(60))


async def test_a_reply_cut_by_kill_9_is_whole_and_there_once_after_the_restart(tmp_path: Path) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.03) as server, Client(server) as client:
        turn = (await client.say("hello", client_id="c1"))["turn"]
        async with aclosing(client.follow()) as events:
            async for _ in events:
                if len(client.shown.get(turn, "")) > 50:
                    break
        await server.end(signal.SIGKILL)
        await server.start()
        assert await client.say("hello", client_id="c1") == {"turn": turn, "duplicate": True}
        await client.until_finished(turn)
        assert client.shown[turn] == ANSWER
        assert [(m["role"], m["text"]) for m in await client.messages()] == [("user", "hello"), ("assistant", ANSWER)]


async def test_a_message_accepted_just_before_kill_9_is_answered_after_the_restart(tmp_path: Path) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.01) as server, Client(server) as client:
        turns = [(await client.say(f"m{n}", client_id=f"c{n}"))["turn"] for n in range(3)]
        await server.end(signal.SIGKILL)
        await server.start()
        for turn in turns:
            await client.until_finished(turn)
        expected = [text for n in range(3) for text in (f"m{n}", ANSWER)]
        assert [m["text"] for m in await client.messages()] == expected


async def test_sigterm_finishes_the_running_reply_and_leaves_with_0(tmp_path: Path) -> None:
    async with running(tmp_path, answer="one two three four five", delay=0.1) as server, Client(server) as client:
        turn = (await client.say("hello", client_id="c1"))["turn"]
        await asyncio.sleep(0.15)
        assert await server.end(signal.SIGTERM) == 0
        await server.start()
        await client.until_finished(turn)
        assert client.finished[turn]["status"] == "done"
        assert client.shown[turn] == "one two three four five"
    assert "Traceback" not in (tmp_path / "stderr.log").read_text()

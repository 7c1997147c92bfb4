"""SIGTERM: probes learn of it first, then nothing more is taken in, then what runs is finished or handed back."""

import asyncio
import signal
from pathlib import Path

from tests.e2e.server import Client, Server

ANSWER = " ".join(f"word{n}" for n in range(400))


async def test_on_sigterm_readyz_turns_red_while_messages_are_still_taken_in_and_none_is_lost(tmp_path: Path) -> None:
    server = Server(tmp_path, answer=ANSWER, delay=0.01, real=True)
    server.settings["turns"] = {"drain_seconds": 1.5, "grace_seconds": 0.2}
    await server.start()
    try:
        async with Client(server) as client:
            first = (await client.say("before", client_id="c1"))["turn"]
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                while (ready := await client.http.get(f"{server.url}/readyz")).status_code == 200:
                    await asyncio.sleep(0.02)
            assert ready.status_code == 503
            assert "shutting down" in ready.text
            assert (await client.http.get(f"{server.url}/healthz")).status_code == 200
            second = (await client.say("meanwhile", client_id="c2"))["turn"]
            async with asyncio.timeout(30):
                assert await server.process.wait() == 0
            await server.start()
            for turn in (first, second):
                await client.until_finished(turn)
                assert client.shown[turn] == ANSWER
            texts = [message["text"] for message in await client.messages()]
            assert texts == ["before", ANSWER, "meanwhile", ANSWER]
    finally:
        await server.end(signal.SIGKILL)
    assert "Traceback" not in (tmp_path / "stderr.log").read_text()

"""`parley run` as people start it, connected to Slack: killed, called over HTTP, installed in a second workspace."""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.cli.terminal import parley as command
from tests.e2e.server import Server
from tests.slack.platform import SlackPlatform

pytestmark = pytest.mark.slow
WORDS = " ".join(f"word{n}" for n in range(40))


@asynccontextmanager
async def parley(slack: SlackPlatform, folder: Path, **settings: Any) -> AsyncIterator[Server]:
    server = Server(folder, answer=WORDS, delay=0.02)
    web = {"personas": {"default": "free"}}
    server.settings["channels"] = {
        "web": web,
        "slack": {"api_url": slack.api_url, "personas": {"default": "free"}, "append_seconds": 0.1, **settings},
    }
    await server.start()
    try:
        yield server
    finally:
        await server.end(signal.SIGKILL)


def contents(folder: Path) -> bytes:
    """The database and the log."""
    return b"".join(path.read_bytes() for path in (*folder.glob("parley.db*"), *folder.glob("*.log")))


async def test_killed_in_the_middle_of_a_reply_it_shows_the_whole_once_started_again(
    slack: SlackPlatform, tmp_path: Path
) -> None:
    ann = slack.user("Ann")
    room = slack.channel("general", [ann])
    async with parley(slack, tmp_path, bot_token=slack.bot_token, app_token=slack.app_token) as server:
        ts = await slack.say(ann, room, f"{slack.mention} hello")
        await slack.until(lambda: any("word5" in message.text for message in slack.answers(room, ts)))
        await server.end(signal.SIGKILL)
        [half] = slack.answers(room, ts)
        assert half.streaming == "in_progress"
        slack.sockets.abort()
        await server.start()
        await slack.until(lambda: slack.answers(room, ts)[0].text == WORDS, seconds=60)
    [answer] = slack.answers(room, ts)
    assert answer.streaming == "completed"


async def test_over_http_only_what_slack_signed_is_heard(slack: SlackPlatform, tmp_path: Path) -> None:
    ann = slack.user("Ann")
    room = slack.channel("general", [ann])
    secret = slack.signing_secret
    async with parley(slack, tmp_path, bot_token=slack.bot_token, signing_secret=secret) as server:
        sender = slack.use_http(f"{server.url}/slack/events")
        assert await sender.verify()
        ts = await slack.say(ann, room, f"{slack.mention} hello")
        [answer] = await slack.finished(room, ts)
        assert answer.text == WORDS
        forged = '{"type": "event_callback", "event": {"type": "message"}}'
        now = int(time.time())
        for fault in ({"secret": "another"}, {"timestamp": now - 600}, {"timestamp": now + 600}):
            status, _, _ = await sender.post(forged, "application/json", **fault)
            assert status == 401
        async with httpx.AsyncClient() as http:
            assert (await http.post(f"{server.url}/slack/events", content=forged)).status_code == 401
            assert (await http.get(f"{server.url}/slack/install")).status_code == 404


async def test_a_second_workspace_installs_the_app_and_its_tokens_are_stored_sealed(
    slack: SlackPlatform, tmp_path: Path
) -> None:
    other = slack.team("Other")
    tokens = slack.workspace.tokens
    shared = {
        "client_id": tokens.client_id,
        "client_secret": tokens.client_secret,
        "encryption_key": Fernet.generate_key().decode(),
        "signing_secret": slack.signing_secret,
    }
    async with parley(slack, tmp_path, **shared) as server:
        async with httpx.AsyncClient() as http:
            page = await http.get(f"{server.url}/slack/install")
            found = re.search(r"state=([\w-]+)", page.text)
            assert found is not None
            back = {"code": tokens.code(other.id), "state": found[1]}
            cookie = {"cookie": f"slack-app-oauth-state={found[1]}"}
            url = f"{server.url}/slack/oauth_redirect"
            assert (await http.get(url, params=back)).status_code == 400
            assert (await http.get(url, params=back, headers=cookie)).status_code == 200
            again = {"code": tokens.code(other.id), "state": found[1]}
            assert (await http.get(url, params=again, headers=cookie)).status_code == 401
        slack.use_http(f"{server.url}/slack/events")
        bob = slack.user("Bob", team=other)
        dm = slack.dm(bob)
        ts = await slack.say(bob, dm, "hello")
        [answer] = await slack.finished(dm, ts)
        assert answer.text == WORDS
        stored = contents(tmp_path)
        assert other.id.encode() in stored
        assert b"xoxb-" not in stored


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxp-1"}, "xoxb-"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-1"}, "xapp-"),
        ({"SLACK_CLIENT_ID": "1.2", "SLACK_APP_TOKEN": "xapp-1"}, "SLACK_ENCRYPTION_KEY"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong", "SLACK_APP_TOKEN": "xapp-1"}, "invalid_auth"),
    ],
)
async def test_a_missing_or_wrong_token_is_named_in_one_line_before_anything_starts(
    slack: SlackPlatform, tmp_path: Path, environment: dict[str, str], named: str
) -> None:
    server = Server(tmp_path, answer="", delay=0)
    told = {**server.prepare(), "SLACK_API_URL": slack.api_url, **environment}
    result = await asyncio.to_thread(command, "run", "--port", "0", cwd=tmp_path, environment=told)
    assert result.code == 1
    lines = [line for line in result.err.splitlines() if line.startswith("parley:")]
    assert len(lines) == 1
    assert named in lines[0]
    assert "xoxb-wrong" not in result.err

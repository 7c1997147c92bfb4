"""The stand-in itself, tried with the unmodified discord.py and with plain requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest
import yarl

from tests.discord.platform import Limit, Platform
from tests.discord.platform.checks import specification
from tests.discord.platform.world import Json

CREATE = "/channels/{channel_id}/messages"
QUIET: Json = {"allowed_mentions": {"parse": []}}


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with Platform.running() as platform:
        yield platform


class Listener(discord.Client):
    def __init__(self, *, content: bool = True) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=content)
        super().__init__(intents=intents, allowed_mentions=discord.AllowedMentions.none())
        self.heard: list[str] = []
        self.begun = asyncio.Event()

    async def on_ready(self) -> None:
        self.begun.set()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message.content)


@asynccontextmanager
async def connected(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, *, content: bool = True
) -> AsyncIterator[Listener]:
    monkeypatch.setattr(discord.http.Route, "BASE", platform.api)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(platform.gateway.url))
    client = Listener(content=content)
    running = asyncio.create_task(client.start(platform.token))
    try:
        async with asyncio.timeout(30):
            await client.begun.wait()
        yield client
    finally:
        await client.close()
        await asyncio.wait({running})


async def post(platform: Platform, room: str, body: Json, *, token: str | None = None) -> tuple[int, Json]:
    headers = {"Authorization": f"Bot {token or platform.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{platform.api}/channels/{room}/messages", json=body) as answer,
    ):
        return answer.status, {**await answer.json(), **answer.headers}


async def test_discord_py_hears_sends_edits_and_reads(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, room = platform.person("Ada"), platform.channel(platform.guild())
    async with connected(platform, monkeypatch) as client:
        await platform.say(ada, room, "hello")
        await platform.until(lambda: client.heard == ["hello"])
        channel = client.get_partial_messageable(int(room["id"]))
        sent = await channel.send("one")
        await sent.edit(content="two")
        assert [message.content async for message in channel.history(oldest_first=True)] == ["hello", "two"]
        assert platform.checks.rejected == []


async def test_history_is_paged(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, room = platform.person("Ada"), platform.channel(platform.guild())
    said = [await platform.say(ada, room, f"n{number}") for number in range(250)]
    async with connected(platform, monkeypatch) as client:
        channel = client.get_partial_messageable(int(room["id"]))
        after = discord.Object(said[9]["id"])
        read = [message.content async for message in channel.history(after=after, limit=None, oldest_first=True)]
        assert read == [f"n{number}" for number in range(10, 250)]


async def test_a_nonce_is_known_for_its_time(platform: Platform) -> None:
    room = platform.channel(platform.guild())
    body: Json = {"content": "one", "nonce": "n1", "enforce_nonce": True, **QUIET}
    first, again = await post(platform, room["id"], body), await post(platform, room["id"], body)
    assert first[1]["id"] == again[1]["id"]
    platform.nonce_window = 0.0
    assert (await post(platform, room["id"], body))[1]["id"] != first[1]["id"]
    assert len(platform.posts(room)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2001, **QUIET},
        {"content": "😀" * 1001, **QUIET},
        {"content": "", **QUIET},
        {"content": "pings", "allowed_mentions": {"parse": ["everyone"]}},
        {"content": "pings"},
        {"content": "x", "nonce": "n" * 26, **QUIET},
    ],
)
async def test_what_breaks_a_rule_is_refused(platform: Platform, body: Json) -> None:
    room = platform.channel(platform.guild())
    assert (await post(platform, room["id"], body))[0] == 400
    assert platform.checks.rejected
    assert platform.posts(room) == []


@pytest.mark.skipif(specification() is None, reason="Discord's published schema is not at hand")
async def test_an_id_is_text_but_where_discord_py_sends_a_number(platform: Platform) -> None:
    room = platform.channel(platform.guild())
    said = await platform.say(platform.person("Ada"), room, "hi")
    reference = {"message_id": int(said["id"]), "channel_id": int(room["id"])}
    right: Json = {"content": "x", "message_reference": reference, **QUIET}
    wrong: Json = {"content": "x", "sticker_ids": [1], **QUIET}
    assert (await post(platform, room["id"], right))[0] == 200
    assert (await post(platform, room["id"], wrong))[0] == 400


async def test_a_wrong_token_is_refused(platform: Platform) -> None:
    room = platform.channel(platform.guild())
    assert (await post(platform, room["id"], {"content": "x", **QUIET}, token="other"))[0] == 401


async def test_limits_are_told_in_headers_and_then_enforced(platform: Platform) -> None:
    room = platform.channel(platform.guild())
    platform.limits.routes[f"POST {CREATE}"] = Limit(2, 60.0)
    answers = [await post(platform, room["id"], {"content": "x", **QUIET}) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    assert [answer["X-RateLimit-Remaining"] for _, answer in answers[:2]] == ["1", "0"]
    assert float(str(answers[2][1]["Retry-After"])) > 50


async def test_a_lost_answer_was_done_all_the_same(platform: Platform) -> None:
    room = platform.channel(platform.guild())
    platform.fail(method="POST", path=CREATE, lost=True, times=1)
    with pytest.raises(aiohttp.ClientError):
        await post(platform, room["id"], {"content": "x", **QUIET})
    assert platform.texts(room) == ["x"]


async def test_a_resume_replays_what_was_missed_and_op_9_ends_a_session(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, room = platform.person("Ada"), platform.channel(platform.guild())
    async with connected(platform, monkeypatch) as client:
        await platform.gateway.drop()
        await platform.say(ada, room, "missed")
        await platform.until(lambda: client.heard == ["missed"])
        assert platform.gateway.replayed == 1
        await platform.gateway.ask_to_reconnect()
        await platform.until(lambda: platform.gateway.resumes == 2)
        await platform.gateway.invalidate()
        await platform.until(lambda: len(platform.gateway.identifies) == 2)


async def identify(platform: Platform, *, shard: int = 0) -> aiohttp.WSMessage:
    """What is answered to a bare IDENTIFY."""
    asked = {"token": platform.token, "intents": 0, "properties": {}, "shard": [shard, 4]}
    async with aiohttp.ClientSession() as session, session.ws_connect(platform.gateway.url) as ws:
        await ws.receive_json()
        await ws.send_json({"op": 2, "d": asked})
        return await ws.receive(timeout=5)


async def test_one_shard_of_a_bucket_may_begin_at_a_time(platform: Platform) -> None:
    platform.gateway.at_once = 2
    assert [(await identify(platform, shard=shard)).json()["op"] for shard in range(3)] == [0, 0, 9]
    platform.gateway.apart = 0.0
    assert (await identify(platform, shard=2)).json()["op"] == 0


async def test_who_begins_more_sessions_than_discord_gives_loses_the_token(platform: Platform) -> None:
    platform.gateway.budget, platform.gateway.apart, token = 1, 0.0, platform.token
    assert (await identify(platform)).json()["op"] == 0
    assert platform.gateway.start_limit()["remaining"] == 0
    assert (await identify(platform)).data == 4004
    assert platform.token != token
    assert platform.gateway.sessions == {}
    platform.gateway.reset_seconds = 0.0
    assert platform.gateway.start_limit()["remaining"] == 1000


async def test_without_the_intent_only_what_names_the_bot_has_a_text(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, room = platform.person("Ada"), platform.channel(platform.guild())
    async with connected(platform, monkeypatch, content=False) as client:
        await platform.say(ada, room, "overheard")
        await platform.say(ada, room, f"{platform.mention} named")
        await platform.say(ada, platform.dm(ada), "direct")
        await platform.until(lambda: len(client.heard) == 3)
        assert client.heard == ["", f"{platform.mention} named", "direct"]


async def test_an_intent_that_is_not_granted_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Platform.running(content_allowed=False) as platform:
        monkeypatch.setattr(discord.http.Route, "BASE", platform.api)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(platform.gateway.url))
        client = Listener()
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(platform.token)
        await client.close()


async def test_an_interaction_that_is_answered_late_is_unknown(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, room = platform.person("Ada"), platform.channel(platform.guild())
    platform.uses.patience = 0.05
    async with connected(platform, monkeypatch) as client:
        tree = discord.app_commands.CommandTree(client)
        caught: list[BaseException] = []

        @tree.command(name="slow", description="answers late")
        async def slow(interaction: discord.Interaction) -> None:
            await asyncio.sleep(0.2)
            try:
                await interaction.response.send_message("late")
            except discord.NotFound as error:
                caught.append(error)

        await tree.sync()
        await platform.slash(ada, room, "slow")
        await platform.until(lambda: caught)
        assert platform.uses.late == 1

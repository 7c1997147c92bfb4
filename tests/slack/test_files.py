"""Text files that people send."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from adapters.slack import files
from adapters.slack.manifest import BOT_SCOPES
from bot.testing import ScriptedEngine
from storage.sql import SqlStore
from tests.slack.house import answer, serving
from tests.slack.platform import Channel, SlackPlatform, User

TOKEN = "xoxb-secret"


@pytest.fixture
def ann(slack: SlackPlatform) -> User:
    return slack.user("Ann")


@pytest.fixture(params=["dm", "channel"])
def room(request: pytest.FixtureRequest, slack: SlackPlatform, ann: User) -> Channel:
    return slack.dm(ann) if request.param == "dm" else slack.channel("general", [ann])


async def test_what_a_text_file_says_is_part_of_the_question(
    slack: SlackPlatform, store: SqlStore, ann: User, room: Channel
) -> None:
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        sent = [("notes.txt", "\ufeffBuy milk, 牛奶".encode()), ("table.csv", b"a,b\n1,2\n")]
        ts = await slack.say(ann, room, f"{slack.mention} sum up", files=sent)
        await slack.finished(room, ts)
        await slack.settle()
    asked = engine.prompts[0].messages[-1].text
    assert asked == "sum up\n\n[notes.txt]\nBuy milk, 牛奶\n\n[table.csv]\na,b\n1,2"
    assert slack.ephemerals(ann) == []


async def test_a_file_that_goes_on_in_a_thread_is_read_too(slack: SlackPlatform, store: SqlStore, ann: User) -> None:
    engine = ScriptedEngine(answer)
    dm = slack.dm(ann)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, dm, "hello")
        await slack.finished(dm, ts)
        await slack.say(ann, dm, "", thread=ts, files=[("notes.md", b"# Milk")])
        await slack.finished(dm, ts, count=2)
    assert engine.prompts[1].messages[-1].text == "[notes.md]\n# Milk"


@pytest.mark.parametrize(
    ("name", "content", "trouble"),
    [
        ("large.txt", b"x" * 70_000, None),
        ("photo.png", b"\x89PNG\r\n\x1a\n\0\0", None),
        ("zeros.txt", b"a\0b", None),
        ("latin.txt", "caf\xe9".encode("latin-1"), None),
        ("locked.txt", b"milk", "scopes"),
        ("slow.txt", b"milk", "slow"),
        ("gone.txt", b"milk", "status"),
    ],
)
async def test_what_cannot_be_read_is_named_once_to_the_sender_alone_and_the_rest_is_answered(
    slack: SlackPlatform, store: SqlStore, name: str, content: bytes, trouble: str | None
) -> None:
    ann = slack.user("Ann")
    match trouble:
        case "scopes":
            slack.settings.scopes = frozenset(BOT_SCOPES) - {"files:read"}
        case "slow":
            slack.faults.slow("files.download", 10, times=None)
        case "status":
            slack.faults.status("files.download", 500, times=None)
    room = slack.channel("general", [ann])
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, room, f"{slack.mention} sum up", files=[(name, content)])
        await slack.finished(room, ts)
        await slack.until(lambda: slack.ephemerals(ann))
        await slack.settle()
    [word] = slack.ephemerals(ann)
    assert name in word.text
    assert "64 KiB" in word.text
    assert word.thread_ts is None, "in a thread that has no reply yet Slack would not show it"
    assert engine.prompts[0].messages[-1].text == "sum up"


async def test_in_a_thread_the_word_about_a_file_stands_in_the_thread_in_the_senders_language(
    slack: SlackPlatform, store: SqlStore
) -> None:
    lin = slack.user("林", locale="zh-CN")
    dm = slack.dm(lin)
    async with serving(slack, store):
        ts = await slack.say(lin, dm, "你好")
        await slack.finished(dm, ts)
        await slack.say(lin, dm, "看看", thread=ts, files=[("<!channel>.png", b"\0"), ("b.zip", b"\0")])
        await slack.until(lambda: slack.ephemerals(lin))
    [word] = slack.ephemerals(lin)
    assert word.thread_ts == ts
    assert "&lt;!channel&gt;.png" in word.text
    assert "b.zip" in word.text
    assert "没有读取" in word.text


async def test_of_many_files_the_first_five_are_read(slack: SlackPlatform, store: SqlStore, ann: User) -> None:
    dm = slack.dm(ann)
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, dm, "sum up", files=[(f"{n}.txt", b"milk") for n in range(7)])
        await slack.finished(dm, ts)
        await slack.until(lambda: slack.ephemerals(ann))
    assert engine.prompts[0].messages[-1].text.count("milk") == 5
    assert "5.txt, 6.txt" in slack.ephemerals(ann)[0].text


class Host:
    """A web server that keeps the authorisations it was given, and leads on to `target`, or answers with `kind`."""

    def __init__(self, target: str | None = None, *, kind: str = "text/plain") -> None:
        self.seen: list[str | None] = []
        self._target = target
        self._kind = kind

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("Authorization"))
        if self._target is not None:
            raise web.HTTPFound(self._target)
        return web.Response(body=b"milk", content_type=self._kind)

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/{name:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner


async def read_from(url: str, *, api_url: str, size: int = 4) -> files.Read:
    file = {"name": "a.txt", "mimetype": "text/plain", "size": size, "url_private": url}
    async with aiohttp.ClientSession() as session:
        return await files.read([file], token=TOKEN, api_url=api_url, limit=100, session=session)


async def test_the_token_goes_to_no_other_host_not_even_where_slacks_own_leads_there() -> None:
    foreign = Host()
    elsewhere = await foreign.start()
    port = elsewhere.addresses[0][1]
    leading = Host(f"http://localhost:{port}/a.txt")
    own = await leading.start()
    api = f"http://127.0.0.1:{own.addresses[0][1]}"
    try:
        for url in (f"http://localhost:{port}/a.txt", f"{api}/a.txt"):
            assert (await read_from(url, api_url=f"{api}/api/")).refused == ("a.txt",)
        assert foreign.seen == []
        assert leading.seen == [f"Bearer {TOKEN}"]
    finally:
        await asyncio.gather(elsewhere.cleanup(), own.cleanup())


async def test_a_sign_in_page_is_no_file_and_what_is_too_large_is_not_even_asked_for() -> None:
    host = Host(kind="text/html")
    runner = await host.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/a.txt"
    try:
        assert (await read_from(url, api_url=url)).refused == ("a.txt",)
        assert len(host.seen) == 1
        assert (await read_from(url, api_url=url, size=101)).refused == ("a.txt",)
        assert len(host.seen) == 1
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "url",
    [
        "https://evilslack.com/a.txt",
        "https://slack.com.evil.example/a.txt",
        "http://files.slack.com/a.txt",
        "https://files.slack.com@evil.example/a.txt",
        "file:///etc/passwd",
        "",
    ],
)
async def test_these_are_none_of_slacks_own_hosts(url: str) -> None:
    assert (await read_from(url, api_url="https://slack.com/api/")).refused == ("a.txt",)

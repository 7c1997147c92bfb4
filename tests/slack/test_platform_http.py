"""The stand-in posts signed events, interactions and commands to Bolt's app over HTTP."""

import time
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from tests.slack.clients import bolt_app, listening
from tests.slack.platform import HttpEvents, Settings, SlackPlatform

Json = dict[str, Any]


class Served:
    """A Bolt app behind an HTTP address, which may fail at first."""

    def __init__(self, app: AsyncApp, *, failures: int = 0, headers: dict[str, str] | None = None) -> None:
        self._app = app
        self._failures = failures
        self._headers = headers
        self.retries: list[str | None] = []

    async def __aenter__(self) -> str:
        web_app = web.Application()
        web_app.add_routes([web.post("/slack/events", self._handle)])
        self._runner = web.AppRunner(web_app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        self.retries.append(request.headers.get("X-Slack-Retry-Num"))
        if self._failures:
            self._failures -= 1
            return web.Response(status=500, headers=self._headers)
        return await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))


async def test_bolt_takes_signed_events_over_http_and_failures_are_retried() -> None:
    async with SlackPlatform(Settings(retry_after=(0, 0))) as slack:
        app, bodies = listening(slack, "message")
        served = Served(app, failures=1)
        async with served as url:
            sender: HttpEvents = slack.use_http(url)
            ann = slack.user("Ann")
            await slack.say(ann, slack.dm(ann), "hello 你好")
            await slack.settle()
            assert await sender.verify()
        assert served.retries[:2] == [None, "1"]
        assert slack.deliveries[1].reason == "http_error"
        assert [body["event"]["text"] for body in bodies] == ["hello 你好"]


async def test_an_app_may_ask_for_no_retries_over_http() -> None:
    async with SlackPlatform(Settings(retry_after=(0, 0))) as slack:
        app, _ = listening(slack, "message")
        served = Served(app, failures=9, headers={"X-Slack-No-Retry": "1"})
        async with served as url:
            slack.use_http(url)
            ann = slack.user("Ann")
            await slack.say(ann, slack.dm(ann), "hello")
            await slack.settle()
        assert served.retries == [None]


@pytest.mark.parametrize(("secret", "age"), [("wrong", 0), (None, 301)])
async def test_bolt_refuses_a_forged_or_stale_request(slack: SlackPlatform, secret: str | None, age: int) -> None:
    app, bodies = listening(slack, "message")
    async with Served(app) as url:
        sender = slack.use_http(url)
        status, _, _ = await sender.post("{}", "application/json", secret=secret, timestamp=int(time.time()) - age)
    assert status == 401
    assert bodies == []


async def test_commands_and_buttons_go_over_http_as_forms(slack: SlackPlatform) -> None:
    app = bolt_app(slack)

    @app.command("/parley")
    async def command(ack: Any, command: Json) -> None:
        await ack(f"you said {command['text']}")

    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    async with Served(app) as url:
        slack.use_http(url)
        ack = await slack.command(ann, general, "/parley", "new & <now>")
    assert ack is not None
    assert [message.text for message in slack.ephemerals(ann)] == ["you said new & <now>"]

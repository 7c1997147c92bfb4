"""What goes wrong on purpose goes wrong as Slack does it, and by the seed."""

import time
from contextlib import suppress

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.slack.clients import error_of, web_client
from tests.slack.platform import SlackPlatform


async def test_a_lost_answer_leaves_its_effect(slack: SlackPlatform) -> None:
    general = slack.channel("general")
    fault = slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await web_client(slack).chat_postMessage(channel=general.id, text="one")
    await web_client(slack).chat_postMessage(channel=general.id, text="two")
    assert [message.text for message in slack.answers(general)] == ["one", "two"]
    assert [(call.fault, call.ok) for call in slack.calls] == [("lose_answer", True), (None, True)]
    assert fault.fired == 1


async def test_the_sdk_by_itself_posts_again_after_a_lost_answer(slack: SlackPlatform) -> None:
    general = slack.channel("general")
    slack.faults.lose_answer("chat.postMessage")
    await AsyncWebClient(token=slack.bot_token, base_url=slack.api_url).chat_postMessage(channel=general.id, text="one")
    assert [message.text for message in slack.answers(general)] == ["one", "one"]


async def test_a_dropped_call_leaves_nothing(slack: SlackPlatform) -> None:
    general = slack.channel("general")
    slack.faults.drop("chat.*")
    with pytest.raises(aiohttp.ClientError):
        await web_client(slack).chat_postMessage(channel=general.id, text="one")
    assert slack.answers(general) == []


async def test_the_sdks_retry_handlers_get_through_429_and_503(slack: SlackPlatform) -> None:
    general = slack.channel("general")
    limited = slack.faults.rate_limit("chat.postMessage", retry_after=1)
    broken = slack.faults.status("chat.postMessage", 503, skip=2)
    handlers = [AsyncRateLimitErrorRetryHandler(), AsyncServerErrorRetryHandler()]
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=list(handlers))
    await client.chat_postMessage(channel=general.id, text="one")
    await client.chat_postMessage(channel=general.id, text="two")
    assert [call.status for call in slack.calls] == [429, 200, 503, 200]
    assert (limited.fired, broken.fired) == (1, 1)
    assert [message.text for message in slack.answers(general)] == ["one", "two"]


async def test_without_handlers_429_and_500_raise(slack: SlackPlatform) -> None:
    slack.faults.rate_limit("auth.test", retry_after=7)
    with pytest.raises(SlackApiError) as limited:
        await web_client(slack).auth_test()
    assert limited.value.response.headers["Retry-After"] == "7"
    slack.faults.status("auth.test", 500)
    with pytest.raises(SlackApiError) as broken:
        await web_client(slack).auth_test()
    assert broken.value.response.status_code == 500


async def test_any_error_can_be_named(slack: SlackPlatform) -> None:
    slack.faults.error("auth.test", "fatal_error", skip=1)
    await web_client(slack).auth_test()
    with pytest.raises(SlackApiError) as refused:
        await web_client(slack).auth_test()
    assert error_of(refused.value) == "fatal_error"


async def test_a_slow_answer_comes_after_its_effect(slack: SlackPlatform) -> None:
    general = slack.channel("general")
    slack.faults.slow("chat.postMessage", 0.1)
    began = time.monotonic()
    await web_client(slack).chat_postMessage(channel=general.id, text="one")
    assert time.monotonic() - began >= 0.1


async def test_the_doors_beside_the_web_api_fail_too(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    slack.faults.status("response_url", 503)
    slack.faults.lose_answer("files.upload")
    webhook = AsyncWebhookClient(slack.workspace.response_url(general, ann), retry_handlers=[])
    assert [(await webhook.send(text=str(number))).status_code for number in range(2)] == [503, 200]
    with pytest.raises(aiohttp.ClientError):
        await web_client(slack).files_upload_v2(channel=general.id, filename="a.txt", content="text")
    assert [file.content for file in slack.workspace.files.values()] == [b"text"]


async def test_faults_by_chance_repeat_with_their_seed() -> None:
    async def outcomes(seed: int) -> list[bool]:
        async with SlackPlatform(seed=seed) as slack:
            slack.faults.error("auth.test", "fatal_error", times=None, rate=0.5)
            client = web_client(slack)
            for _ in range(30):
                with suppress(SlackApiError):
                    await client.auth_test()
            return [call.ok for call in slack.calls]

    first = await outcomes(1)
    assert first == await outcomes(1)
    assert first != await outcomes(2)
    assert {True, False} == set(first)

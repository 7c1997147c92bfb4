"""Nothing that a model writes pings anybody."""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.blocks import pieces
from adapters.slack.showing import harmless
from bot.testing import ScriptedEngine
from bot.types import Finished, Generated, Prompt, TextDelta
from storage.sql import SqlStore
from tests.slack.house import serving
from tests.slack.platform import Channel, SlackPlatform
from tests.slack.platform.blocks import texts

PING = re.compile(r"<(?:@|!|#|subteam)")
PARTS = [
    *(
        "<!channel>",
        "<!here>",
        "<!everyone|all>",
        "<@U0LAN0Z89>",
        "<@W1>",
        "<#C024BE91L>",
        "<!subteam^S1>",
        "<!date^1^x|y>",
    ),
    *(
        "<",
        ">",
        "@",
        "!",
        "#",
        "<<",
        "<\n",
        "&lt;",
        "&amp;lt;",
        "`",
        "```\n",
        "**",
        "_",
        "~",
        "[",
        "](",
        ")",
        "|",
        "\\",
    ),
    *(
        "channel",
        "U0LAN0Z89",
        " ",
        "\n",
        "\u200b",
        "\ufeff",
        "http://x.example/<!here>",
        "mailto:a@b.c",
        "<a href='<!channel>'>",
    ),
    *(
        "<https://x.example|<!here>>",
        "[a](<!channel>)",
        "![<@U1>](http://x.example)",
        "| <!here> |\n|---|\n",
        "- ",
        "> ",
        "字",
    ),
]
WORDS = st.lists(st.sampled_from(PARTS) | st.text(max_size=5), max_size=12).map("".join)


class Letters(ScriptedEngine):
    """Says its script letter by letter."""

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        self.prompts.append(prompt)
        text = str(self._script(prompt))
        for letter in text:
            await asyncio.sleep(0)
            yield TextDelta(letter)
        yield Finished(reason="stop", prompt_tokens=1, new_tokens=len(text))


@given(WORDS, st.integers(min_value=1, max_value=4))
def test_a_streamed_text_pings_nobody_wherever_it_is_cut(text: str, step: int) -> None:
    cuts = range(0, len(text), step)
    shown = "".join(harmless(text[cut : cut + step], after=text[:cut]) for cut in cuts)
    assert PING.findall(shown) == []
    assert shown.replace("\u200b", "") == text.replace("\u200b", "")


@given(WORDS)
def test_an_edited_text_pings_nobody(text: str) -> None:
    for piece in pieces(text):
        assert PING.findall(piece) == []
        assert re.sub(r"<(?:https?://|mailto:)[^<>]*>", "", piece, flags=re.IGNORECASE).count("<") == 0


@pytest.mark.parametrize("way", ["streamed", "edited"])
async def test_in_a_thousand_answers_slack_was_given_no_ping_and_asked_for_no_preview(
    slack: SlackPlatform, store: SqlStore, way: str
) -> None:
    if way == "edited":
        slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    chance = random.Random(4)
    answers = ["".join(chance.choices(PARTS, k=chance.randint(1, 12))) for _ in range(1_000)]
    ann = slack.user("Ann")
    dm = slack.dm(ann)
    batches = ["\n\n".join(answers[first : first + 50]) for first in range(0, 1_000, 50)]
    engine = Letters(lambda prompt: batches[int(prompt.messages[-1].text)])
    async with serving(slack, store, engine=engine, append_seconds=0.0):
        for number in range(len(batches)):
            ts = await slack.say(ann, dm, str(number))
            await footed(slack, dm, ts)
    assert sum(len(message.text) for message in slack.answers(dm)) >= sum(map(len, answers)) * 0.8
    assert [message.text for message in slack.answers(dm) if PING.search(message.text)] == []
    for call in slack.calls:
        assert not any(PING.search(text) for text in given_texts(call.args))
        if call.method == "chat.postMessage":
            assert not flag(call.args["unfurl_links"])
            assert not flag(call.args["unfurl_media"])
    if way == "streamed":
        assert slack.calls_to("chat.appendStream")


async def footed(slack: SlackPlatform, room: Channel, thread: str) -> None:
    await slack.until(lambda: any(reply.blocks for reply in slack.answers(room, thread)))


def flag(value: Any) -> bool:
    return str(value).lower() not in {"false", "0"}


def given_texts(args: dict[str, Any]) -> list[str]:
    blocks = args.get("blocks") or []
    blocks = json.loads(blocks) if isinstance(blocks, str) else blocks
    return [str(args.get("text", "")), str(args.get("markdown_text", "")), *texts(blocks)]

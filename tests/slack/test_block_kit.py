"""Whatever is shown, Block Kit's limits hold: judged by the SDK's own models."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from adapters.slack import binding, home
from adapters.slack.blocks import footer, pieces, section
from bot.testing import ScriptedEngine
from bot.types import (
    ConversationKey,
    Delivery,
    KnowledgeSource,
    LocalText,
    Persona,
    Source,
    StoredMessage,
    TurnState,
    new_id,
)
from storage.sql import SqlStore
from tests.core.parts import NOW, PASSAGE, make_persona
from tests.slack.house import answer, serving
from tests.slack.platform import Channel, Message, SlackPlatform
from tests.slack.platform.blocks import check_blocks, check_view, texts

Json = dict[str, Any]
LONG = "<长> & " * 1_000
LOCALES = [None, "en-US", "zh-CN"]


def valid(blocks: Sequence[Json]) -> list[Json]:
    for block in blocks:
        parsed = Block.parse(json.loads(json.dumps(block)))
        assert parsed is not None, block
        parsed.validate_json()
    return check_blocks(list(blocks))


def valid_view(view: Json) -> Json:
    parsed = View(**json.loads(json.dumps(view)))
    parsed.validate_json()
    assert parsed.blocks is not None
    assert len(parsed.blocks) == len(view["blocks"])
    for block in view["blocks"]:
        found = Block.parse(block)
        assert found is not None
        found.validate_json()
    return check_view(view)


def cast(number: int, *, text: str = LONG) -> list[Persona]:
    return [
        make_persona(
            name=f"p{each}-{'x' * 50}",
            title=LocalText({"en": f"T{each} {text}", "zh": f"角色{each} {text}"}),
            description=text,
        )
        for each in range(number)
    ]


def delivered(state: TurnState, *sources: Source) -> Delivery:
    said = StoredMessage(id="m", role="assistant", text="text", turn=new_id(), at=NOW, sources=sources)
    key = ConversationKey(channel="slack", tenant="T1", room="C1", thread="1.0")
    return Delivery(turn=said.turn, conversation=key, state=state, message=said)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", [TurnState.DONE, TurnState.STOPPED, TurnState.FAILED])
@pytest.mark.parametrize("number", [0, 1, 40])
def test_what_stands_below_a_reply(locale: str | None, state: TurnState, number: int) -> None:
    delivery = delivered(state, *[Source(title=LONG, path="kb/返回.md", text=LONG)] * number)
    valid([section("text"), *footer(delivery, rated=True, locale=locale)])


@pytest.mark.parametrize("text", [LONG, "字" * 9_000, "`&`" * 3_000, "| a | b |\n|---|---|\n" + "| & | < |\n" * 900])
def test_every_piece_of_a_long_reply_fits_a_section(text: str) -> None:
    for piece in pieces(text):
        valid([section(piece), *footer(delivered(TurnState.DONE), rated=True, locale=None)])


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("number", [1, 26, 150])
def test_the_home(locale: str | None, number: int) -> None:
    facts = tuple((f"name {each} {LONG}", LONG) for each in range(20))
    known = home.Remembered(conversations=3, messages=9, facts=facts)
    for remembered in (home.Remembered(), known):
        view = valid_view(home.view(cast(number), remembered, locale=locale))
        assert not any(text.endswith("&") for text in texts(view))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("number", [1, 26, 150])
def test_the_modal(locale: str | None, number: int) -> None:
    personas = cast(number)
    view = valid_view(binding.modal(personas, channel="C1", chosen=personas[-1].name, locale=locale))
    chosen = view["blocks"][1]["element"]["initial_option"]
    assert chosen["value"] == personas[-1].name
    assert chosen in view["blocks"][1]["element"]["options"]


@pytest.mark.parametrize("way", ["streamed", "edited"])
async def test_the_sources_of_an_answer_stand_below_it(slack: SlackPlatform, store: SqlStore, way: str) -> None:
    if way == "edited":
        slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    ann = slack.user("Ann")
    dm = slack.dm(ann)
    async with serving(slack, store, engine=ScriptedEngine("Thirty days.")) as house:
        house.personas.known["helper"] = make_persona(
            knowledge=(KnowledgeSource(path=Path("kb"), label="kb"),), grounded="prefer"
        )
        ts = await slack.say(ann, dm, "How long may I return it?")
        reply = await footed(slack, dm, ts)
    context = reply.blocks[-2]
    valid(reply.blocks)
    assert context["type"] == "context"
    assert [element["text"] for element in context["elements"]] == ["*Sources*", f"Returns ({PASSAGE.path})"]


async def footed(slack: SlackPlatform, room: Channel, thread: str) -> Message:
    await slack.until(lambda: any(reply.blocks for reply in slack.answers(room, thread)))
    return slack.answers(room, thread)[-1]


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
async def test_all_that_slack_was_given_is_valid(slack: SlackPlatform, store: SqlStore, locale: str) -> None:
    slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    ann = slack.user("Ann", admin=True, locale=locale)
    general = slack.channel("general", [ann])
    async with serving(slack, store, engine=ScriptedEngine(answer)) as house:
        house.personas.known |= {persona.name: persona for persona in cast(30, text="<长> & " * 20)}
        for text in ("hello", "!help", "!persona", "!memory", "!new", "!forget", LONG):
            ts = await slack.say(ann, general, f"{slack.mention} {text}")
            await footed(slack, general, ts)
        await slack.command(ann, general, "/parley", "persona")
        await slack.open_home(ann)
        await slack.until(lambda: slack.home_view(ann))
        await slack.settle()
    refused = {(call.method, call.error) for call in slack.calls if call.error is not None}
    assert refused <= {("chat.startStream", "method_not_supported_for_channel_type")}
    for call in slack.calls:
        blocks, view = call.args.get("blocks"), call.args.get("view")
        if blocks:
            valid(json.loads(blocks) if isinstance(blocks, str) else blocks)
        if view:
            valid_view(json.loads(view) if isinstance(view, str) else view)

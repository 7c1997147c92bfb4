"""`/parley` and its modal, and the words that begin with an exclamation mark."""

import pytest

from adapters.slack import binding
from bot.testing import ScriptedEngine
from bot.types import ConversationKey, LocalText, Person, Prompt
from storage.sql import SqlStore
from tests.core.parts import make_persona
from tests.slack.house import House, serving, stored
from tests.slack.platform import Channel, SlackPlatform, User

COMMAND = "/parley"


def introduce(house: House) -> None:
    """Each persona says who it is."""
    for name in ("helper", "writer"):
        house.personas.known[name] = make_persona(
            name=name,
            title=LocalText({"en": name.title(), "zh": {"helper": "助手", "writer": "写手"}[name]}),
            instructions=LocalText({"en": f"You are {name}."}),
        )


def who(prompt: Prompt) -> str:
    return prompt.messages[0].text


@pytest.fixture
def ann(slack: SlackPlatform) -> User:
    return slack.user("Ann", admin=True)


@pytest.fixture
def general(slack: SlackPlatform, ann: User) -> Channel:
    return slack.channel("general", [ann])


async def said(slack: SlackPlatform, user: User, room: Channel, *texts: str) -> list[str]:
    """What is answered to texts in one thread, each after the answer to the one before."""
    thread: str | None = None
    for number, text in enumerate(texts, 1):
        ts = await slack.say(user, room, f"{slack.mention} {text}" if thread is None else text, thread=thread)
        thread = thread or ts
        await slack.finished(room, thread, count=number)
        await slack.settle()
    return [reply.text for reply in slack.answers(room, thread)]


@pytest.mark.parametrize("text", ["", "help", "what?", "forget nothing"])
async def test_help_names_every_command_to_the_asker_alone(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, text: str
) -> None:
    async with serving(slack, store):
        assert await slack.command(ann, general, COMMAND, text) is not None
    [word] = slack.ephemerals(ann)
    for wanted in ("/parley persona", "/parley stop", "/parley forget", "!new", "!persona", "!memory", "!help"):
        assert wanted in word.text
    assert slack.answers(general) == []


async def test_help_is_chinese_for_who_reads_slack_in_chinese(slack: SlackPlatform, store: SqlStore) -> None:
    lin = slack.user("林", locale="zh-CN")
    async with serving(slack, store):
        for text in ("help", "帮助", "stop", "停止"):
            await slack.command(lin, slack.channel("general", [lin]), COMMAND, text)
    first, second, third, fourth = (word.text for word in slack.ephemerals(lin))
    assert first == second
    assert "管理员" in first
    assert third == fourth == "这里没有正在写的回答。"


@pytest.mark.parametrize("text", ["forget", "Forget", "忘记"])
async def test_forget_erases_all_of_the_asker_and_nothing_of_others(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, text: str
) -> None:
    ben = slack.user("Ben")
    async with serving(slack, store):
        await said(slack, ann, general, "my secret is aubergine")
        await said(slack, ben, general, "my secret is broccoli")
        await slack.command(ann, general, COMMAND, text)
    gone = Person(channel="slack", tenant=slack.home.id, id=ann.id)
    stays = Person(channel="slack", tenant=slack.home.id, id=ben.id)
    assert [record async for record in store.records.export(gone)] == []
    assert any([record["record"] == "message" async for record in store.records.export(stays)])
    assert await stored(store, "broccoli") > 0
    assert len(slack.ephemerals(ann)) == 1


async def test_an_administrator_binds_a_persona_and_new_threads_of_that_channel_have_it(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    other = slack.channel("other", [ann])
    engine = ScriptedEngine(who)
    async with serving(slack, store, engine=engine) as house:
        introduce(house)
        old = await slack.say(ann, general, f"{slack.mention} hello")
        await slack.finished(general, old)
        await slack.command(ann, general, COMMAND, "persona")
        ack = await slack.submit(ann, {binding.CHANNEL: general.id, binding.PERSONA: "writer"})
        assert ack is not None
        assert slack.modals(ann) == []
        assert await said(slack, ann, general, "hello") == ["You are writer."]
        assert await said(slack, ann, other, "hello") == ["You are helper."]
        await slack.say(ann, general, "still you?", thread=old)
        replies = await slack.finished(general, old, count=2)
        assert [reply.text for reply in replies] == ["You are helper.", "You are helper."]
        await slack.command(ann, general, COMMAND, "persona")
        initial = slack.modal(ann).content["blocks"][1]["element"]["initial_option"]
        assert initial["value"] == "writer"
    [word] = slack.ephemerals(ann)
    assert "Writer" in word.text
    assert f"<#{general.id}>" in word.text


async def test_a_binding_lasts_over_a_restart(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store) as house:
        introduce(house)
        await slack.command(ann, general, COMMAND, "persona")
        await slack.submit(ann, {binding.CHANNEL: general.id, binding.PERSONA: "writer"})
    async with serving(slack, store, engine=ScriptedEngine(who)) as house:
        introduce(house)
        assert await said(slack, ann, general, "hello") == ["You are writer."]


async def test_who_is_no_administrator_gets_no_modal_and_is_told_why(
    slack: SlackPlatform, store: SqlStore, general: Channel
) -> None:
    ben = slack.user("Ben")
    async with serving(slack, store):
        await slack.command(ben, general, COMMAND, "persona")
    assert slack.modals(ben) == []
    [word] = slack.ephemerals(ben)
    assert "administrator" in word.text


async def test_who_is_no_administrator_any_more_cannot_submit_the_modal(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store):
        await slack.command(ann, general, COMMAND, "persona")
    ann.admin = False
    async with serving(slack, store):
        await slack.submit(ann, {binding.CHANNEL: general.id, binding.PERSONA: "writer"})
    assert len(slack.modals(ann)) == 1
    assert await store.rooms.bound("slack", slack.home.id) == {}


async def test_personas_are_listed_chosen_and_an_unknown_one_is_named(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store, engine=ScriptedEngine(who)) as house:
        introduce(house)
        listed, unknown, chosen, answered = await said(
            slack, ann, general, "!persona", "!persona nobody", "!persona writer", "hello"
        )
    assert "`helper`" in listed
    assert "`writer`" in listed
    assert "`nobody`" in unknown
    assert "`writer`" in unknown
    assert "Writer" in chosen
    assert answered == "You are writer."


async def test_a_new_conversation_remembers_nothing_and_memory_shows_what_is_noted(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine("well")
    async with serving(slack, store, engine=engine) as house:
        house.personas.known["helper"] = make_persona(remember=("name",))
        _, memory, _, _, emptied, _ = await said(
            slack, ann, general, "my name is Annabel", "!memory", "!new", "hello", "!forget", "bye"
        )
    assert "Annabel" in memory
    assert "deleted" in emptied
    assert [message.text for message in engine.prompts[-1].messages[1:]] == ["bye"]
    assert not any("my name" in message.text for message in engine.prompts[1].messages)
    assert await stored(store, "Annabel") == 0


async def test_help_in_a_thread_lists_the_words(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine("well")
    async with serving(slack, store, engine=engine):
        [listed] = await said(slack, ann, general, "!help")
        await slack.settle()
    for wanted in ("`!new`", "`!persona`", "`!stop`", "`!memory`", "`!forget`", "`!help`"):
        assert wanted in listed
    assert engine.prompts == []


async def test_forgetting_in_one_thread_leaves_the_others(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store):
        await said(slack, ann, general, "aubergine", "!forget")
        ts = await slack.say(ann, general, f"{slack.mention} broccoli")
        await slack.finished(general, ts)
        await slack.settle()
    assert await stored(store, "aubergine") == 0
    there = ConversationKey(channel="slack", tenant=slack.home.id, room=general.id, thread=ts)
    assert len(await store.conversations.messages(there)) == 2

"""Commands as messages."""

from datetime import UTC, datetime, timedelta

import pytest

from bot import notices
from bot.commands import Command, Order, Situation, change_of, order_in, reply_to
from bot.types import Change, LocalText, Memory, Summary
from tests.core.parts import make_persona

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KEEP = timedelta(days=30)
CHOICE = (
    make_persona(name="tutor", title=LocalText({"en": "Tutor", "zh": "老师"}), greeting=LocalText({"en": "Hello!"})),
    make_persona(name="writer", description="writes"),
)


def asked(text: str) -> Order:
    order = order_in(text)
    assert order is not None
    return order


def situation(locale: str | None = "en", **fields: object) -> Situation:
    return Situation(**{"locale": locale, "keep": KEEP, "now": NOW, **fields})  # type: ignore[arg-type] # for brevity


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("!forget", Command.FORGET),
        (" !Forget \n", Command.FORGET),
        ("！忘记", Command.FORGET),
        ("!memory", Command.MEMORY),
        ("!记忆", Command.MEMORY),
        ("!help", Command.HELP),
        ("！help", Command.HELP),
        ("!new", Command.NEW),
        ("!stop", Command.STOP),
        ("!停止", Command.STOP),
        ("!persona", Command.PERSONA),
    ],
)
def test_a_command_stands_alone_in_its_message(text: str, command: Command) -> None:
    assert asked(text).command is command


def test_a_persona_may_be_named() -> None:
    assert asked("!persona Writer").argument == "writer"
    assert asked("!角色 writer") == Order(command=Command.PERSONA, argument="writer", language="zh")


@pytest.mark.parametrize(
    "text",
    [
        "forget",
        "!forget me",
        "please !forget",
        "!",
        "",
        "!!forget",
        "! forget",
        "!forget\n!help",
        "!sing",
        "!persona a b",
    ],
)
def test_anything_else_is_a_message_like_others(text: str) -> None:
    assert order_in(text) is None


def test_memory_shows_facts_and_summary_and_the_day_until_which_they_are_kept() -> None:
    memory = Memory(facts={"order_number": "A-77"}, summary=Summary(covers="t", text="Ann wants her money back."))
    for locale in ("en", "zh-CN", None):
        reply = reply_to(asked("!memory"), situation(locale, memory=memory))
        assert "A-77" in reply
        assert "money back" in reply
        assert "2026-12-23" in reply
        assert "30" in reply
        assert "!forget" in reply


def test_without_anything_remembered_memory_says_so_and_still_until_when() -> None:
    for memory in (None, Memory()):
        assert "2026-12-23" in reply_to(asked("!memory"), situation(memory=memory))
    forever = reply_to(asked("!memory"), situation(memory=None, keep=None))
    assert "20" not in forever


def test_help_says_where_what_people_rate_as_good_may_train_the_model() -> None:
    for locale in ("en", "zh"):
        said = reply_to(asked("!help"), situation(locale, rating_notice=notices.MAY_TRAIN))
        assert notices.MAY_TRAIN.pick(locale) in said
        assert notices.MAY_TRAIN.pick(locale) not in reply_to(asked("!help"), situation(locale))


def test_who_answers_can_be_chosen_from_those_offered() -> None:
    here = situation(personas=CHOICE)
    assert change_of(asked("!persona tutor"), here) == Change(anew=True, persona="tutor")
    assert "Tutor" in reply_to(asked("!persona tutor"), here)
    assert "Hello!" in reply_to(asked("!persona tutor"), here)
    for text in ("!persona", "!persona tutr"):
        assert change_of(asked(text), here) is None
        assert all(persona.name in reply_to(asked(text), here) for persona in CHOICE)


def test_where_none_is_offered_nobody_else_answers() -> None:
    assert change_of(asked("!persona tutor"), situation()) is None
    assert "tutor" not in reply_to(asked("!persona tutor"), situation()).lower()
    assert "!persona" not in reply_to(asked("!help"), situation())


def test_commands_change_their_conversation_and_only_these() -> None:
    assert change_of(asked("!forget"), situation()) == Change(forget=True)
    assert change_of(asked("!new"), situation()) == Change(anew=True)
    assert [change_of(asked(f"!{name}"), situation()) for name in ("stop", "help", "memory", "persona")] == [None] * 4


def test_replies_come_in_the_person_s_language() -> None:
    for command in Command:
        english, chinese = (reply_to(Order(command=command), situation(locale)) for locale in ("en-GB", "zh"))
        assert english.isascii()
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
    listed = reply_to(asked("!help"), situation(personas=CHOICE))
    assert all(f"!{command.value}" in listed for command in Command)
    assert asked("！忘记").language == "zh"
    assert asked("!forget").language is None

"""The app's home: who there is to talk to, what is remembered, and the button that forgets it."""

import re
from typing import Any

import pytest

from adapters.slack.home import FORGET
from bot.types import LocalText, Person
from storage.sql import SqlStore
from tests.core.parts import make_persona
from tests.slack.house import House, serving
from tests.slack.platform import SlackPlatform, User
from tests.slack.platform.blocks import elements, texts

Json = dict[str, Any]
REMEMBERS = make_persona(remember=("name",))


def read(view: Json | None) -> str:
    assert view is not None
    return "\n".join(texts(view["blocks"]))


def can_forget(view: Json | None) -> bool:
    assert view is not None
    return any(element["action_id"] == FORGET for _, element in elements(view["blocks"]))


async def opened(slack: SlackPlatform, user: User) -> Json:
    calls = len(slack.calls_to("views.publish"))
    await slack.open_home(user)
    await slack.until(lambda: len(slack.calls_to("views.publish")) > calls)
    view = slack.home_view(user)
    assert view is not None
    return view


async def test_the_home_lists_the_personas_and_says_that_nothing_is_stored(
    slack: SlackPlatform, store: SqlStore
) -> None:
    ann = slack.user("Ann")
    async with serving(slack, store):
        view = await opened(slack, ann)
    for wanted in ("*Helper*", "`helper`", "*Writer*", "`writer`", "Nothing:"):
        assert wanted in read(view)
    assert not can_forget(view)


async def remembering(slack: SlackPlatform, house: House, user: User) -> None:
    """Two questions in two threads, and a fact."""
    house.personas.known["helper"] = REMEMBERS
    dm = slack.dm(user)
    for text in ("my name is Annabel", "what is rain?"):
        ts = await slack.say(user, dm, text)
        await slack.finished(dm, ts)
        await slack.settle()


async def test_the_home_shows_what_is_remembered_and_forgets_it_for_this_person_alone(
    slack: SlackPlatform, store: SqlStore
) -> None:
    ann, ben = slack.user("Ann"), slack.user("Ben")
    async with serving(slack, store) as house:
        await remembering(slack, house, ann)
        await remembering(slack, house, ben)
        view = await opened(slack, ann)
        assert "Conversations: 2. Messages: 4." in read(view)
        assert "*name*\nAnnabel" in read(view)
        assert await slack.press_home(ann, FORGET) is not None
        after = slack.home_view(ann)
        assert "Nothing:" in read(after)
        assert not can_forget(after)
        assert "Conversations: 2. Messages: 4." in read(await opened(slack, ben))
    assert [record async for record in store.records.export(person(slack, ann))] == []
    assert [record async for record in store.records.export(person(slack, ben))] != []


def person(slack: SlackPlatform, user: User) -> Person:
    return Person(channel="slack", tenant=slack.home.id, id=user.id)


async def test_the_home_is_chinese_for_who_reads_slack_in_chinese(slack: SlackPlatform, store: SqlStore) -> None:
    lin = slack.user("林", locale="zh-CN")
    async with serving(slack, store) as house:
        await remembering(slack, house, lin)
        view = await opened(slack, lin)
    shown = read(view)
    for wanted in ("助手", "写手", "2 个对话", "忘记我"):
        assert wanted in shown
    assert "Forget" not in str(view["blocks"])


@pytest.mark.parametrize("most", [30, 200])
async def test_the_home_takes_any_number_of_personas_and_says_how_many_more_there_are(
    slack: SlackPlatform, store: SqlStore, most: int
) -> None:
    ann = slack.user("Ann")
    async with serving(slack, store) as house:
        house.personas.known = {
            f"p{number}": make_persona(
                name=f"p{number}", title=LocalText({"en": "<T> & " * 40}), description="<描述> & " * 600
            )
            for number in range(most)
        }
        view = await opened(slack, ann)
    assert f"{most - 25} more" in read(view)
    assert "`!persona`" in read(view)
    assert re.findall(r"&(?!amp;|lt;|gt;)", read(view)) == []

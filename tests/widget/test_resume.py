"""Whatever breaks, the visitor ends with each message and each reply once, as the server has them."""

import asyncio
import random

import pytest
from playwright.async_api import expect

from tests.widget.conftest import Visit
from tests.widget.fake import Fake
from tests.widget.visitor import Visitor, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORDS = [f"word{n} " if n % 7 else f"词{n}，" for n in range(120)]
WHOLE = "".join(WORDS)


def stored(fake: Fake) -> list[tuple[str, str]]:
    (conversation,) = fake.conversations.values()
    return [(message["role"], message["text"]) for message in fake.told(conversation)]


async def shown(visitor: Visitor) -> list[tuple[str, str]]:
    return [(item["role"], item["text"]) for item in await visitor.items()]


async def test_a_reload_in_the_middle_of_a_reply_shows_it_at_once_and_ends_with_the_whole(
    fake: Fake, visit: Visit
) -> None:
    fake.answer, fake.pause = lambda _: WORDS, 0.02
    visitor = await visit()
    await visitor.open()
    await visitor.ask("tell me")
    await until(lambda: _longer(visitor, 200))
    fake.pause = 0.5  # it must still be in the middle once the page is there again
    await visitor.page.reload()
    await expect(visitor.field).to_be_visible()
    assert len((await visitor.replies("running"))[0]) > 100
    fake.pause = 0
    assert await visitor.answered() == [WHOLE]
    assert await shown(visitor) == stored(fake)
    assert visitor.errors == []


async def test_a_server_restart_in_the_middle_replaces_what_the_dead_attempt_wrote(fake: Fake, visit: Visit) -> None:
    fake.answer, fake.pause = lambda _: WORDS, 0.02
    visitor = await visit()
    await visitor.open()
    await visitor.ask("tell me")
    await until(lambda: _longer(visitor, 200))
    await fake.stop()
    await fake.lose_buffers()
    await expect(visitor.find(".line")).to_have_text("Connection lost. Trying again…")
    fake.answer = lambda _: ["Another ", "answer."]
    await fake.start()
    fake.run_again()
    assert await visitor.answered() == ["Another answer."]
    await expect(visitor.find(".line")).to_be_hidden()
    assert await shown(visitor) == stored(fake)


async def test_a_reply_that_ended_while_nobody_listened_is_there_on_return(fake: Fake, visit: Visit) -> None:
    fake.answer, fake.pause = lambda _: WORDS, 0.02
    visitor = await visit()
    await visitor.open()
    await visitor.ask("tell me")
    await visitor.writing()
    await visitor.page.goto("about:blank")
    await asyncio.sleep(3.5)
    await fake.lose_buffers()
    await visitor.page.goto(f"{fake.url}/page/plain")
    assert await visitor.answered() == [WHOLE]
    assert await shown(visitor) == stored(fake)


@pytest.mark.slow
async def test_a_line_that_breaks_all_the_time_loses_and_repeats_nothing(fake: Fake, visit: Visit) -> None:
    chance = random.Random(7)
    fake.answer, fake.pause = lambda question: [question, " ", *WORDS], 0.02
    visitor = await visit()
    await visitor.open()
    for number in range(4):
        await visitor.ask(f"question {number}")
    for _ in range(25):
        await visitor.page.context.set_offline(True)
        fake.cut()
        await asyncio.sleep(chance.uniform(0, 0.15))
        await visitor.page.context.set_offline(False)
        await asyncio.sleep(chance.uniform(0, 0.25))
    await visitor.answered(4, seconds=40)
    assert await shown(visitor) == stored(fake)
    assert [text for role, text in stored(fake) if role == "assistant"] == [f"question {n} {WHOLE}" for n in range(4)]


async def test_a_message_whose_confirmation_was_lost_is_sent_again_under_its_id(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    fake.refuse("POST", "/messages", 502, after=True)
    fake.refuse("POST", "/messages", 503)
    await visitor.ask("only once")
    assert await visitor.answered() == ["You said: only once"]
    assert fake.requests.count(("POST", f"/api/v1/conversations/{next(iter(fake.conversations))}/messages")) == 3
    assert stored(fake) == [("user", "only once"), ("assistant", "You said: only once")]


async def test_what_is_written_offline_survives_a_reload_and_is_sent_later(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await fake.stop()
    await visitor.ask("are you there?")
    await expect(visitor.find(".own .note")).to_have_text("Waiting for the connection")
    await fake.start()
    await fake.stop()
    state = await visitor.state()
    assert [message["text"] for message in state["outbox"]] == ["are you there?"]
    await fake.start()
    await visitor.page.reload()
    assert await visitor.answered() == ["You said: are you there?"]
    assert stored(fake) == [("user", "are you there?"), ("assistant", "You said: are you there?")]


async def test_an_offline_browser_is_told_so(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.page.context.set_offline(True)
    await expect(visitor.find(".line")).to_contain_text("You are offline")
    await visitor.page.context.set_offline(False)
    await expect(visitor.find(".line")).to_be_hidden()


async def test_an_expired_conversation_goes_on_as_a_new_one_without_losing_the_message(
    fake: Fake, visit: Visit
) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.ask("first")
    await visitor.answered()
    fake.conversations.clear()
    await visitor.ask("second")
    await expect(visitor.find(".passing")).to_contain_text("This is a new one")
    assert await visitor.answered() == ["You said: second"]
    assert stored(fake) == [("user", "second"), ("assistant", "You said: second")]


async def test_the_token_travels_in_a_header_only(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.ask("hello")
    await visitor.answered()
    assert not [url for url in visitor.requests if "secret" in url]
    assert "secret" not in visitor.page.url


async def test_two_tabs_share_a_conversation(fake: Fake, visit: Visit) -> None:
    one = await visit()
    two = await Visitor.tab(one.page.context, f"{fake.url}/page/plain")
    await one.open()
    await one.ask("from the first tab")
    await one.answered()
    assert await two.answered() == ["You said: from the first tab"]
    await two.open()
    await two.ask("from the second tab")
    await two.answered(2)
    assert len(fake.conversations) == 1


async def test_the_stream_is_closed_once_nothing_is_awaited_and_in_a_hidden_tab_at_once(
    fake: Fake, visit: Visit
) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.ask("hello")
    await visitor.answered()
    assert fake.streams == 1
    await visitor.page.evaluate("""() => {
        Object.defineProperty(document, "hidden", { value: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    await until(lambda: _streams(fake, 0), seconds=3, what="the idle stream's end")
    assert fake.most_streams == 1


async def test_tabs_that_look_on_idly_hold_no_connection(fake: Fake, visit: Visit) -> None:
    one = await visit()
    two = await Visitor.tab(one.page.context, f"{fake.url}/page/plain")
    for visitor in (one, two):
        await visitor.open()
    await one.ask("hello")
    await two.answered()
    await until(lambda: _streams(fake, 0), seconds=6, what="the idle streams' end")
    await two.ask("again")
    await one.answered(2)


async def test_deltas_with_a_gap_make_the_stream_start_over(fake: Fake, visit: Visit) -> None:
    fake.answer, fake.pause = lambda _: ["a", "b", "c", "d", "e", "f"], 0.1
    visitor = await visit()
    await visitor.open()
    fake.skip = {3}
    await visitor.ask("go")
    assert await visitor.answered() == ["abcdef"]
    assert len([url for url in visitor.requests if "/events" in url]) > 1


async def _longer(visitor: Visitor, length: int) -> bool:
    return any(len(text) > length for text in await visitor.replies("running"))


async def _streams(fake: Fake, count: int) -> bool:
    return fake.streams == count

"""A visitor chats: greeting, starters, streaming, stopping, rating, sources, new chat, forget me."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.widget.conftest import Visit
from tests.widget.fake import Fake
from tests.widget.visitor import PLAIN, Visitor, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWER = (
    "You have **30 days**.\n\n1. Open *My orders*\n2. Print the label\n\n"
    "| Item | Days |\n|:--|--:|\n| Lamps | 30 |\n\n```python\nprint('hi')\n```\n"
)


async def test_a_starter_is_asked_and_its_answer_streams_in_as_markdown(fake: Fake, visit: Visit) -> None:
    fake.answer = lambda _: list(ANSWER)
    visitor = await visit()
    await visitor.open()
    await expect(visitor.find(".greeting")).to_contain_text("welcome to Larkenfold")
    await expect(visitor.find(".disclaimer")).to_have_text("Larkenfold is a made-up shop. AI answers can be wrong.")
    await visitor.find(".starters button").first.click()
    await visitor.writing()
    await expect(visitor.find(".log")).to_have_attribute("aria-busy", "true")
    assert await visitor.answered() == [ANSWER]
    await expect(visitor.find(".log")).to_have_attribute("aria-busy", "false")
    prose = visitor.find(".list .prose")
    await expect(prose.locator("strong")).to_have_text("30 days")
    await expect(prose.locator("ol li")).to_have_text(["Open My orders", "Print the label"])
    await expect(prose.locator("td")).to_have_text(["Lamps", "30"])
    await expect(prose.locator("pre code")).to_have_text("print('hi')")
    await expect(visitor.find(".own .bubble")).to_contain_text("Return an item?")
    assert visitor.errors == []


async def test_below_the_composer_stands_what_ratings_are_used_for(fake: Fake, visit: Visit) -> None:
    fake.pages["tutor"] = (PLAIN.replace('data-persona="support"', 'data-persona="tutor"'), {})
    visitor = await visit("tutor")
    await visitor.open()
    await expect(visitor.find(".disclaimer")).to_contain_text("Ratings may train it.")


async def test_blocks_that_did_not_change_keep_their_nodes_while_the_rest_streams(fake: Fake, visit: Visit) -> None:
    fake.hold = asyncio.Event()
    fake.answer = lambda _: ["First.\n\n", "Second", " begins", " and", " ends."]
    visitor = await visit()
    await visitor.open()
    await visitor.ask("go")
    await expect(visitor.find(".list .prose p")).to_have_count(2)
    await visitor.find(".list .prose p").first.evaluate("node => { window.kept = node }")
    fake.hold.set()
    await visitor.answered()
    assert await visitor.find(".list .prose p").first.evaluate("node => window.kept === node")


async def test_stop_ends_the_reply_and_keeps_what_was_written(fake: Fake, visit: Visit) -> None:
    fake.hold = asyncio.Event()
    fake.answer = lambda _: ["One", " two", " three", " four"]
    visitor = await visit()
    await visitor.open()
    await visitor.ask("count")
    await until(lambda: visitor.replies("running"))
    await visitor.find(".stop").click()
    await expect(visitor.find(".reply[data-status=stopped] .note")).to_have_text("Stopped")
    assert (await visitor.items())[-1]["text"] == "One two three"
    await expect(visitor.find(".stop")).to_be_hidden()


async def test_enter_sends_shift_enter_breaks_the_line_and_an_input_method_keeps_its_enter(
    fake: Fake, visit: Visit
) -> None:
    visitor = await visit()
    await visitor.open()
    await expect(visitor.field).to_be_focused()
    await visitor.page.keyboard.type("first")
    await visitor.page.keyboard.press("Shift+Enter")
    await visitor.page.keyboard.type("second")
    composing = "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true})"
    assert await visitor.field.evaluate(f"node => node.dispatchEvent({composing})")
    assert await visitor.items() == []
    await visitor.page.keyboard.press("Enter")
    assert await visitor.answered() == ["You said: first\nsecond"]
    await expect(visitor.field).to_have_value("")


async def test_messages_sent_during_a_reply_are_answered_in_order_below_their_questions(
    fake: Fake, visit: Visit
) -> None:
    fake.pause = 0.05
    fake.answer = lambda question: ["re: ", question, ".", ".", "."]
    visitor = await visit()
    await visitor.open()
    for text in ("one", "two", "three"):
        await visitor.ask(text)
    await visitor.answered(3)
    assert [item["text"] for item in await visitor.items()] == [
        "one", "re: one...", "two", "re: two...", "three", "re: three...",
    ]  # fmt: skip


async def test_a_rating_is_stored_on_the_server_and_shown_again_after_a_reload(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.ask("hello")
    await visitor.answered()
    good, bad = visitor.find("[aria-label='Good answer']"), visitor.find("[aria-label='Bad answer']")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(good).to_have_attribute("aria-pressed", "false")
    (conversation,) = fake.conversations.values()
    assert list(conversation.ratings.values()) == ["down"]
    await visitor.page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")


async def test_sources_unfold_and_code_is_copied(fake: Fake, visit: Visit) -> None:
    fake.sources = [{"title": "Returns", "path": "kb/returns.md", "text": "Within 30 days."}]
    fake.answer = lambda _: ["```\na <b>\n", "```"]
    visitor = await visit(permissions=["clipboard-read", "clipboard-write"])
    await visitor.open()
    await visitor.ask("how")
    await visitor.answered()
    text = visitor.find(".source-text")
    await expect(text).to_be_hidden()
    await visitor.find("summary").press("Enter")
    await expect(text).to_have_text("Within 30 days.")
    await visitor.find("[aria-label='Copy code']").click()
    assert await visitor.page.evaluate("navigator.clipboard.readText()") == "a <b>"


async def test_new_chat_begins_afresh_and_forget_me_erases_both_conversations(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.ask("first")
    await visitor.answered()
    await visitor.find("[aria-label='More options']").click()
    await visitor.find(".entry-fresh").click()
    assert await visitor.items() == []
    await expect(visitor.find(".starters")).to_be_visible()
    await visitor.ask("second")
    await visitor.answered()
    assert len(fake.conversations) == 2
    await visitor.find("[aria-label='More options']").click()
    await visitor.find(".entry-trash").click()
    await visitor.page.keyboard.press("Escape")
    assert len(fake.conversations) == 2
    await expect(visitor.field).to_be_focused()
    await visitor.find("[aria-label='More options']").click()
    await visitor.find(".entry-trash").click()
    await visitor.find(".danger").click()
    await expect(visitor.find(".passing")).to_have_text("Everything was deleted.")
    assert fake.conversations == {}
    assert await visitor.items() == []
    assert (await visitor.state())["token"] is None


async def test_forgetting_while_the_server_is_away_says_so_and_keeps_the_key(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.ask("hello")
    await visitor.answered()
    await fake.stop()
    await visitor.find("[aria-label='More options']").click()
    await visitor.find(".entry-trash").click()
    await visitor.find(".danger").click()
    await expect(visitor.find(".passing")).to_contain_text("could not be deleted")
    assert (await visitor.state())["token"] == "secret-1"


async def test_a_reply_to_a_closed_panel_counts_as_unread_until_it_is_opened(fake: Fake, visit: Visit) -> None:
    fake.hold = asyncio.Event()
    fake.answer = lambda _: list("hello")
    visitor = await visit()
    await visitor.open()
    await visitor.ask("hello")
    await visitor.launcher.click()
    fake.hold.set()
    await expect(visitor.find(".badge")).to_have_text("1")
    await expect(visitor.launcher).to_have_attribute("aria-label", "Open chat with Larkenfold Support, 1 unread")
    await visitor.open()
    await expect(visitor.find(".badge")).to_be_hidden()
    await visitor.launcher.click()
    await expect(visitor.launcher).to_have_attribute("aria-label", "Open chat with Larkenfold Support")


async def test_more_than_8000_characters_cannot_be_sent(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.field.fill("😀" * 8001)
    await expect(visitor.find(".counter")).to_have_text("1 characters too many")
    await visitor.field.press("Enter")
    assert await visitor.items() == []
    await visitor.field.fill("😀" * 8000)
    await visitor.field.press("Enter")
    await visitor.answered()


async def test_a_refused_message_says_why_and_can_be_edited(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    fake.refuse("POST", "/messages", 422, "the text is not to our liking")
    await visitor.ask("hmm")
    await expect(visitor.find(".own .note")).to_contain_text("Not sent: the text is not to our liking")
    await visitor.find(".own .link").click()
    await expect(visitor.field).to_have_value("hmm")
    assert await visitor.items() == []


async def test_the_widget_speaks_chinese_on_a_chinese_page(fake: Fake, visit: Visit) -> None:
    fake.pages["zh"] = (fake.pages["plain"][0].replace('lang="en"', 'lang="zh-CN"'), {})
    visitor = await visit("zh")
    await visitor.open()
    await expect(visitor.find(".greeting")).to_contain_text("欢迎光临云雀小铺")
    await expect(visitor.field).to_have_attribute("placeholder", "输入消息…")
    await expect(visitor.find("h2")).to_have_text("云雀小铺客服")


async def test_earlier_messages_are_fetched_on_request(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.open()
    await visitor.ask("newest")
    await visitor.answered()
    (conversation,) = fake.conversations.values()
    old = [fake.message("user" if n % 2 == 0 else "assistant", f"old {n}", f"o{n // 2}") for n in range(70)]
    conversation.messages[:0] = old
    await visitor.page.reload()
    await until(lambda: _count(visitor, 50))
    await visitor.find(".earlier").click()
    await until(lambda: _count(visitor, 72))
    assert [item["text"] for item in await visitor.items()][:70] == [f"old {n}" for n in range(70)]
    await expect(visitor.find(".earlier")).to_be_hidden()


async def _count(visitor: Visitor, count: int) -> bool:
    return len(await visitor.items()) == count

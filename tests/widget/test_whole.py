"""The widget and the demo page on the real server, as a process of its own."""

import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.server import Server, running
from tests.widget.visitor import Visitor, until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

WORDS = [f"word{n}" if n % 9 else f"第{n}个词" for n in range(90)]
ANSWER = " ".join(WORDS)


async def come(browser: Browser, server: Server, **options: object) -> Visitor:
    """On the demo page, the chat with the free persona open."""
    context = await browser.new_context(locale="en-GB", **options)  # type: ignore[arg-type] # playwright's options
    visitor = await Visitor.arrive(context, server.url)
    await visitor.page.locator(".card[data-persona=free]").click()
    await expect(visitor.find("h2")).to_have_text("Free")
    return visitor


async def stored(visitor: Visitor) -> list[tuple[str, str]]:
    """The transcript as the server tells it now."""
    messages = await visitor.page.evaluate("""async () => {
        const { client, memory } = document.querySelector("parley-chat").session;
        return (await client.messages(memory.state)).messages;
    }""")
    return [(message["role"], message["text"]) for message in messages]


async def shown(visitor: Visitor) -> list[tuple[str, str]]:
    return [(item["role"], item["text"]) for item in await visitor.items()]


async def test_the_demo_page_shows_every_persona_in_both_languages_and_the_tag(
    browser: Browser, tmp_path: Path
) -> None:
    async with running(tmp_path, answer="ok", delay=0) as server:
        visitor = await come(browser, server, permissions=["clipboard-read", "clipboard-write"])
        page = visitor.page
        await expect(page.locator(".card")).to_have_count(6)
        await expect(page.locator(".model")).to_have_text("Answered by scripted")
        await page.locator(".copy").click()
        tag = f'<script src="{server.url}/widget.js" data-persona="free" async></script>'
        assert await page.evaluate("navigator.clipboard.readText()") == tag
        await page.locator("[data-language=zh-CN]").click()
        await expect(page.locator("h1")).to_have_text("想和谁聊聊？")
        await page.locator(".card[data-persona=support]").click()
        await expect(visitor.find("h2")).to_have_text("云雀小铺客服")
        await expect(visitor.field).to_have_attribute("placeholder", "输入消息…")
        assert await page.evaluate("window.violations") == []
        assert visitor.errors == []
        await page.context.close()


async def test_a_conversation_streams_stops_and_is_rated(browser: Browser, tmp_path: Path) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.02) as server:
        visitor = await come(browser, server)
        await visitor.ask("hello")
        await visitor.writing()
        assert await visitor.answered() == [ANSWER]
        await visitor.find("[aria-label='Good answer']").click()
        await expect(visitor.find("[aria-label='Good answer']")).to_have_attribute("aria-pressed", "true")
        await visitor.ask("again")
        await visitor.writing()
        await visitor.find(".stop").click()
        await expect(visitor.find(".reply[data-status=stopped]")).to_be_visible()
        assert 0 < len((await visitor.items())[-1]["text"]) < len(ANSWER)
        assert await shown(visitor) == await stored(visitor)
        await visitor.page.context.close()


async def test_reload_and_kill_9_in_the_middle_end_with_the_stored_text(browser: Browser, tmp_path: Path) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.04) as server:
        visitor = await come(browser, server)
        await visitor.ask("hello")
        await until(lambda: _longer(visitor, 100), what="some of the reply")
        await visitor.page.reload()
        await visitor.page.locator(".card[data-persona=free]").click()
        await until(lambda: _longer(visitor, 200), what="more of the reply")
        await server.end(signal.SIGKILL)
        await visitor.ask("are you still there?")
        await server.start()
        assert await visitor.answered(2, seconds=60) == [ANSWER, ANSWER]
        texts = [("user", "hello"), ("assistant", ANSWER), ("user", "are you still there?"), ("assistant", ANSWER)]
        assert await shown(visitor) == await stored(visitor) == texts
        await visitor.page.context.close()


async def test_forget_me_leaves_nothing_to_come_back_to(browser: Browser, tmp_path: Path) -> None:
    async with running(tmp_path, answer="ok", delay=0) as server:
        visitor = await come(browser, server)
        await visitor.ask("my secret")
        await visitor.answered()
        before = await visitor.state()
        await visitor.find("[aria-label='More options']").click()
        await visitor.find(".entry-trash").click()
        await visitor.find(".danger").click()
        await expect(visitor.find(".passing")).to_have_text("Everything was deleted.")
        answer = await visitor.page.request.get(
            f"{server.url}/api/v1/conversations/{before['id']}/messages",
            headers={"Authorization": f"Bearer {before['token']}"},
        )
        assert answer.status == 403
        await visitor.page.context.close()


async def _longer(visitor: Visitor, length: int) -> bool:
    return any(len(text) > length for text in await visitor.replies("running"))

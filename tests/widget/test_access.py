"""People who use a keyboard, a screen reader, a small screen, another direction or less motion."""

import asyncio
import subprocess
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.widget.conftest import Visit
from tests.widget.fake import Fake
from tests.widget.visitor import PLAIN, Visitor, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDGET = Path(__file__).parents[2] / "adapters" / "web" / "widget"
ANSWER = (
    "You have **30 days**.\n\n1. Open *My orders*\n\n| Item | Days |\n|:--|--:|\n| Lamps | 30 |\n\n"
    "```py\nx = 1\n```\n\n"
    "> A quote with `code` and [a link](https://shop.example/)\n\n- [x] done\n- [ ] open\n"
)
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 800}


@cache
def axe() -> str:
    try:
        told = subprocess.run(["node", WIDGET / "tools.mjs"], check=True, capture_output=True, text=True, timeout=100)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.fail(f"axe-core needs Node, npm and its registry (apt-get install nodejs npm): {error}")
    return (Path(told.stdout.strip()) / "node_modules" / "axe-core" / "axe.min.js").read_text()


async def violations(visitor: Visitor) -> list[str]:
    page = visitor.page
    await page.evaluate(axe())
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{fault['id']}: {[node['target'] for node in fault['nodes']]}" for fault in found["violations"]]


def half(*factors: tuple[str, str]) -> list[tuple[str, ...]]:
    """Every second combination, so that all but one factor still meet in every way: a page of axe takes seconds."""
    return [
        tuple(pair[level] for pair, level in zip(factors, levels, strict=True))
        for levels in product((0, 1), repeat=len(factors))
        if sum(levels) % 2 == 0
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "state", half(("light", "dark"), ("en", "zh-CN"), ("phone", "desk"), ("ltr", "rtl")), ids="-".join
)
async def test_axe_finds_nothing_closed_open_or_in_conversation(
    state: tuple[str, str, str, str], fake: Fake, visit: Visit
) -> None:
    theme, language, size, direction = state
    html = PLAIN.replace('lang="en"', f'lang="{language}" dir="{direction}"')
    fake.pages["state"] = (html.replace("data-p", f'data-theme="{theme}" data-p'), {})
    fake.answer = lambda _: [ANSWER]
    fake.sources = [{"title": "Returns", "path": "kb/returns.md", "text": "Within 30 days."}]
    visitor = await visit("state", viewport=PHONE if size == "phone" else DESK, reduced_motion="reduce")
    await expect(visitor.find("h2")).not_to_have_text("support")
    assert await violations(visitor) == []
    await visitor.open()
    assert await violations(visitor) == []
    await visitor.ask("hello")
    await visitor.answered()
    await visitor.find("summary").click()
    await visitor.find("[aria-expanded=false].head-button").click()
    assert await violations(visitor) == []
    await visitor.find(".entry-trash").click()
    assert await violations(visitor) == []


@pytest.mark.parametrize("state", half(("light", "dark"), ("en-GB", "zh-CN"), ("phone", "desk")), ids="-".join)
async def test_axe_finds_nothing_on_the_demo_page(state: tuple[str, str, str], fake: Fake, visit: Visit) -> None:
    theme, language, size = state
    visitor = await visit(
        url=fake.url, color_scheme=theme, locale=language, viewport=PHONE if size == "phone" else DESK
    )
    await expect(visitor.page.locator(".card")).to_have_count(3)
    assert await violations(visitor) == []
    assert await visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_axe_sees_into_the_widget(fake: Fake, visit: Visit) -> None:
    """The negative control: a fault in the shadow root is reported."""
    visitor = await visit()
    await visitor.open()
    await visitor.find(".disclaimer").evaluate("node => { node.style.color = '#aaa' }")
    assert "color-contrast" in "".join(await violations(visitor))


@pytest.mark.parametrize("size", ["phone", "desk"])
async def test_every_target_is_at_least_24_pixels_and_nothing_overflows(size: str, fake: Fake, visit: Visit) -> None:
    fake.answer = lambda _: [ANSWER + "\n" + "long" * 80]
    visitor = await visit(viewport=PHONE if size == "phone" else DESK)
    await visitor.open()
    await visitor.ask("w" * 300)
    await visitor.answered()
    sizes = await visitor.find("button:visible, summary:visible").evaluate_all(
        "nodes => nodes.map((n) => n.getBoundingClientRect()).map(({width, height}) => Math.min(width, height))"
    )
    assert sizes
    assert min(sizes) >= 24
    assert await visitor.find(".log").evaluate("node => node.scrollWidth <= node.clientWidth")
    assert await visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_escape_closes_and_focus_returns_to_the_launcher(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.launcher.focus()
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.field).to_be_focused()
    await visitor.find("[aria-label='More options']").click()
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.find(".menu")).to_be_hidden()
    await expect(visitor.field).to_be_visible()
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.field).to_be_hidden()
    await expect(visitor.launcher).to_be_focused()
    await expect(visitor.launcher).to_have_attribute("aria-expanded", "false")


async def test_on_a_desk_the_page_stays_usable_and_on_a_phone_it_is_inert(fake: Fake, visit: Visit) -> None:
    visitor = await visit(viewport=DESK)
    await visitor.open()
    link = visitor.page.locator("main a")
    await link.focus()
    await expect(link).to_be_focused()
    await visitor.page.set_viewport_size({"width": 390, "height": 700})
    await until(lambda: visitor.find(".panel").evaluate("node => node.matches(':modal')"), what="a modal panel")
    await link.evaluate("node => node.focus()")
    assert await visitor.page.evaluate("document.activeElement.localName") != "a"
    await until(lambda: _covers(visitor, width=390, height=700), what="a panel over the whole screen")
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.field).to_be_hidden()
    await link.focus()
    await expect(link).to_be_focused()


async def test_a_screen_reader_hears_whole_sentences_once(fake: Fake, visit: Visit) -> None:
    fake.pause = 0.02
    fake.answer = lambda _: list("You have **30 days**. Keep the box. It helps")
    visitor = await visit()
    await visitor.open()
    await expect(visitor.find(".log")).to_have_attribute("aria-live", "off")
    await visitor.page.evaluate("""() => {
        window.heard = [];
        const status = document.querySelector("parley-chat").shadowRoot.querySelector("[role=status]");
        new MutationObserver(() => heard.push(status.textContent)).observe(status, { childList: true });
    }""")
    await visitor.ask("how long?")
    await visitor.answered()
    await asyncio.sleep(0.4)
    heard = " ".join(await visitor.page.evaluate("window.heard"))
    assert heard == "You have 30 days. Keep the box. It helps"


async def test_motion_stops_for_those_who_ask_for_less(fake: Fake, visit: Visit) -> None:
    visitor = await visit(reduced_motion="reduce")
    await visitor.open()
    assert await visitor.find(".panel").evaluate("node => getComputedStyle(node).animationName") == "none"


async def test_a_reader_who_scrolled_up_is_left_alone_and_can_jump_back(fake: Fake, visit: Visit) -> None:
    fake.answer = lambda _: ["line\n\n" * 60]
    visitor = await visit(reduced_motion="reduce")
    await visitor.open()
    await visitor.ask("go")
    await visitor.answered()
    log = visitor.find(".log")
    assert await log.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight < 2")
    fake.hold = asyncio.Event()
    fake.answer = lambda _: ["more\n\n"] * 60
    await visitor.ask("more")
    await visitor.writing()
    await log.evaluate("node => { node.scrollTop = 100 }")
    await expect(visitor.find(".jump")).to_be_visible()
    fake.hold.set()
    await visitor.answered(2)
    assert await log.evaluate("node => node.scrollTop") == 100
    await visitor.find(".jump").click()
    assert await log.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight < 2")


async def _covers(visitor: Visitor, *, width: int, height: int) -> bool:
    """Once it stopped moving: it comes in with a short animation."""
    return await visitor.find(".panel").bounding_box() == {"x": 0, "y": 0, "width": width, "height": height}

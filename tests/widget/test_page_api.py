"""What a site's own scripts can do with the widget, and several widgets on one page."""

import base64
import json

import pytest
from playwright.async_api import expect

from tests.widget.conftest import Visit
from tests.widget.fake import Fake
from tests.widget.visitor import PLAIN, Visitor, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

EARLY = """<script>
window.told = [];
(window.Parley ??= []).push(["on", "message", (e) => told.push(e)], ["on", "open", (e) => told.push(e)], ["open"]);
</script></head>"""


def jwt(subject: str) -> str:
    parts = ({"alg": "HS256"}, {"sub": subject})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "signature"])


async def test_calls_made_before_the_widget_has_loaded_are_answered(fake: Fake, visit: Visit) -> None:
    fake.pages["early"] = (PLAIN.replace("</head>", EARLY), {})
    visitor = await visit("early")
    await expect(visitor.field).to_be_visible()
    await visitor.ask("hello")
    await visitor.answered()
    told = await visitor.page.evaluate("window.told.map(({name, persona, text}) => [name, persona, text])")
    assert told == [["open", "support", None], ["message", "support", "You said: hello"]]


async def test_open_close_toggle_and_listeners_that_end(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await until(lambda: visitor.page.evaluate("typeof Parley.waiting"))
    await visitor.page.evaluate("window.count = 0; window.end = Parley.on('open', () => count++); Parley.open()")
    await expect(visitor.field).to_be_visible()
    await visitor.page.evaluate("Parley.close()")
    await expect(visitor.field).to_be_hidden()
    await visitor.page.evaluate("end(); Parley.toggle()")
    await expect(visitor.field).to_be_visible()
    assert await visitor.page.evaluate("window.count") == 1


async def test_identified_visitors_have_conversations_of_their_own(fake: Fake, visit: Visit) -> None:
    visitor = await visit()
    await visitor.page.evaluate("token => Parley.identify(token)", jwt("ann"))
    await visitor.open()
    await visitor.ask("I am Ann")
    await visitor.answered()
    await visitor.page.evaluate("token => Parley.identify(token)", jwt("bob"))
    await until(lambda: _empty(visitor), what="an empty transcript for Bob")
    await visitor.ask("I am Bob")
    assert await visitor.answered() == ["You said: I am Bob"]
    await visitor.page.evaluate("token => Parley.identify(token)", jwt("ann"))
    assert await visitor.answered() == ["You said: I am Ann"]
    assert fake.identities == [jwt("ann"), jwt("bob")]
    await visitor.page.evaluate("Parley.reset()")
    assert await visitor.items() == []
    assert len(fake.conversations) == 2


async def test_two_widgets_on_a_page_stand_side_by_side_and_keep_their_conversations(fake: Fake, visit: Visit) -> None:
    second = '<script src="/widget.js" data-persona="tutor" data-theme="dark" async></script></body>'
    fake.pages["two"] = (PLAIN.replace("</body>", second), {})
    visitor = await visit("two")
    chats = visitor.page.locator("parley-chat")
    await expect(chats).to_have_count(2)
    one, two = [await chats.nth(n).locator(".launcher").bounding_box() for n in range(2)]
    assert one
    assert two
    assert abs(one["x"] - two["x"]) >= 56
    await visitor.page.evaluate("Parley.open('tutor')")
    tutor = visitor.page.locator("parley-chat[persona=tutor]")
    await expect(tutor.locator("h2")).to_have_text("Tutor")
    await tutor.locator("textarea").fill("hello")
    await tutor.locator("textarea").press("Enter")
    await expect(tutor.locator(".reply[data-status=done] .prose")).to_have_text("You said: hello")
    await visitor.page.evaluate("Parley.open('support')")
    await expect(tutor.locator("textarea")).to_be_hidden()
    await expect(visitor.page.locator("parley-chat[persona=support] .list .message")).to_have_count(0)


@pytest.mark.parametrize(
    ("position", "direction", "left"),
    [("left", "ltr", True), ("start", "ltr", True), ("end", "rtl", True), ("right", "rtl", False), (None, "ltr", False),
     (None, "rtl", True)],
)  # fmt: skip
async def test_the_launcher_stands_where_the_tag_says(
    position: str | None, direction: str, left: bool, fake: Fake, visit: Visit
) -> None:
    attribute = f'data-position="{position}"' if position else ""
    html = PLAIN.replace("data-persona", f"{attribute} data-persona")
    fake.pages["placed"] = (html.replace('lang="en"', f'lang="en" dir="{direction}"'), {})
    visitor = await visit("placed", viewport={"width": 1000, "height": 600})
    box = await visitor.launcher.bounding_box()
    assert box
    assert (box["x"] < 500) is left


async def test_the_sites_own_colour_wins_and_text_on_it_stays_readable(fake: Fake, visit: Visit) -> None:
    style = "<style>parley-chat { --parley-accent: #ffe600 }</style></head>"
    fake.pages["yellow"] = (PLAIN.replace("</head>", style), {})
    visitor = await visit("yellow")
    colours = "node => { const s = getComputedStyle(node); return [s.backgroundColor, s.color] }"

    async def painted() -> bool:
        fill, ink = await visitor.launcher.evaluate(colours)
        return bool(fill.startswith("rgb(2") and ink == "rgb(17, 19, 24)")

    await until(painted, what="a yellow launcher with dark ink")


async def test_an_unknown_persona_is_named_in_the_console_with_those_there_are(fake: Fake, visit: Visit) -> None:
    fake.pages["typo"] = (PLAIN.replace('"support"', '"suport"'), {})
    visitor = await visit("typo")
    await visitor.told('there is no persona "suport"')
    await visitor.told("support, tutor, health")
    await visitor.open()
    await expect(visitor.find(".greeting")).to_have_text("This assistant is not available at the moment.")


async def _empty(visitor: Visitor) -> bool:
    return await visitor.items() == []

"""No reply, split anywhere, runs a script or makes the browser ask for anything."""

from urllib.parse import urlsplit

import pytest

from tests.widget.conftest import Visit
from tests.widget.fake import Fake
from tests.widget.visitor import Visitor
from tests.widget.xss import payloads

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Shows every beginning of every text, as a stream cut at that place would, and reports what does not belong there.
SHOW = """async ([texts, allowed]) => {
    const { transcript } = document.querySelector("parley-chat").panel;
    const reply = [...transcript.views.values()].find((view) => view.markdown);
    const { markdown, prose } = reply;
    const fine = new Set(allowed), bad = [];
    const look = (text) => {
        for (const node of prose.querySelectorAll("*")) {
            if (!fine.has(node.localName) && !node.closest("svg")) bad.push(`<${node.localName}> in ${text}`);
            for (const { name, value } of node.attributes) {
                if (/^(on.*|style|src|srcset|srcdoc|action|id|name)$/.test(name)) bad.push(`${name} in ${text}`);
                if (name === "href" && !/^(https?|mailto):/.test(value)) bad.push(`${value} in ${text}`);
            }
        }
    };
    for (const text of texts) {
        for (let end = 1; end <= text.length; end += text.length > 400 ? 97 : 1) {
            markdown.show(text.slice(0, end));
            look(text.slice(0, end));
        }
        markdown.show(text);
        look(text);
        for (const link of prose.querySelectorAll("a")) {
            link.addEventListener("click", (event) => event.preventDefault());
            link.click();
        }
        await new Promise((done) => setTimeout(done));
    }
    return bad;
}"""
ELEMENTS = [
    *(
        "p",
        "div",
        "span",
        "strong",
        "em",
        "del",
        "code",
        "pre",
        "a",
        "br",
        "hr",
        "ul",
        "ol",
        "li",
        "input",
        "blockquote",
    ),
    *("table", "thead", "tbody", "tr", "th", "td", "button", "svg", "path"),
]


async def talking(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.ask("hello")
    await visitor.answered()
    visitor.requests.clear()


@pytest.mark.slow
async def test_no_beginning_of_any_hostile_reply_runs_or_requests_anything(fake: Fake, visit: Visit) -> None:
    texts = list(payloads(f"{fake.url}/canary"))
    assert len(set(texts)) >= 500
    visitor = await visit()
    await talking(visitor)
    for at in range(0, len(texts), 100):
        assert await visitor.page.evaluate(SHOW, [texts[at : at + 100], ELEMENTS]) == []
    await visitor.page.wait_for_timeout(500)
    assert await visitor.page.evaluate("window.__hit") is None
    assert visitor.requests == []
    assert visitor.errors == []
    assert not [path for _, path in fake.requests if "canary" in path]


async def test_hostile_replies_that_really_stream_run_and_request_nothing(fake: Fake, visit: Visit) -> None:
    texts = list(payloads(f"{fake.url}/canary"))
    fake.pause = 0
    fake.sources = [{"title": text, "path": text, "text": text} for text in texts[:400:40]]
    visitor = await visit()
    await talking(visitor)
    fake.answer = lambda _: list("\n\n".join(texts[::23]))
    await visitor.ask("<img src=x onerror=window.__hit=1>")
    await visitor.answered(2, seconds=60)
    assert await visitor.page.evaluate("window.__hit") is None
    assert {urlsplit(url).path.split("/")[1] for url in visitor.requests} == {"api"}
    assert await visitor.find(".log img, .log script, .log iframe").count() == 0


async def test_the_search_for_intruders_finds_one(fake: Fake, visit: Visit) -> None:
    """The negative control: elements that do not belong are reported by the same search."""
    visitor = await visit()
    await talking(visitor)
    without = [element for element in ELEMENTS if element != "strong"]
    assert "<strong> in **x**" in await visitor.page.evaluate(SHOW, [["**x**"], without])


async def test_images_become_links_and_safe_links_open_elsewhere_without_a_trace(fake: Fake, visit: Visit) -> None:
    fake.answer = lambda _: ["![a cat](https://shop.example/cat.png?q=1&amp;r=2) and <me@shop.example>"]
    visitor = await visit()
    await talking(visitor)
    links = visitor.find(".list .prose a")
    assert await links.count() == 2
    assert await links.nth(0).get_attribute("href") == "https://shop.example/cat.png?q=1&r=2"
    assert await links.nth(1).get_attribute("href") == "mailto:me@shop.example"
    for name, value in (("rel", "noopener noreferrer nofollow"), ("target", "_blank")):
        assert await links.nth(0).get_attribute(name) == value

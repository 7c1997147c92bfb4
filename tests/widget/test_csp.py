"""The widget runs under the strictest policies a site may have, and they really are in force."""

import pytest
from playwright.async_api import expect

from tests.widget.conftest import Visit
from tests.widget.fake import Fake, serving
from tests.widget.visitor import PLAIN

pytestmark = pytest.mark.asyncio(loop_scope="session")

POLICIES = {
    "self": "default-src 'self'",
    "nonce": "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; connect-src {host}; base-uri 'none'",
    "trusted-types": "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
}
ANSWER = "**Yes**, see [here](https://shop.example/a).\n\n```js\nlet a = 1;\n```\n\n- [x] done\n"


async def chat_under(policy: str, fake: Fake, visit: Visit, *, host: str) -> None:
    html = PLAIN.replace('src="/widget.js"', f'src="{host}/widget.js" nonce="r4nd0m"')
    fake.pages["strict"] = (html, {"content-security-policy": policy.format(host=host)})
    visitor = await visit("strict")
    await visitor.open()
    await visitor.find(".starters button").first.click()
    assert await visitor.answered() == [ANSWER]
    await expect(visitor.find(".list .prose strong")).to_have_text("Yes")
    assert await visitor.find(".launcher").evaluate("node => getComputedStyle(node).position") == "fixed"
    await visitor.field.fill("a\nb\nc")
    field = await visitor.field.bounding_box()
    assert field
    assert field["height"] > 60, "the field does not grow with its text"
    assert await visitor.page.evaluate("window.violations") == []
    assert visitor.errors == []
    await visitor.page.evaluate("""() => {
        const style = document.createElement("style");
        style.textContent = "p { color: red }";
        document.querySelector("parley-chat").shadowRoot.append(style);
    }""")
    assert await visitor.page.evaluate("window.violations") != [], "the policy is not in force"


@pytest.mark.parametrize("name", POLICIES)
async def test_the_widget_chats_under_the_policy(name: str, fake: Fake, visit: Visit) -> None:
    fake.answer = lambda _: list(ANSWER)
    await chat_under(POLICIES[name], fake, visit, host=fake.url)


async def test_the_widget_of_another_host_chats_under_nonce_and_strict_dynamic(fake: Fake, visit: Visit) -> None:
    async with serving() as other:
        other.answer = lambda _: list(ANSWER)
        await chat_under(POLICIES["nonce"], fake, visit, host=other.url)
        assert not fake.conversations


async def test_a_policy_that_forbids_the_widget_is_named_in_the_console(fake: Fake, visit: Visit) -> None:
    fake.pages["closed"] = (PLAIN, {"content-security-policy": f"script-src {fake.url}/widget.js"})
    visitor = await visit("closed", wait=False)
    await expect(visitor.page.locator("h1")).to_be_visible()
    await visitor.told("A Content-Security-Policy must allow it")

"""A browser that reaches nothing but this machine, the fake server, and pages with the widget on them."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.widget.fake import Fake, serving
from tests.widget.visitor import PLAIN, Visitor


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("the widget's tests need Chromium: apt-get install chromium")
    outside = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", outside])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def fake() -> AsyncIterator[Fake]:
    async with serving() as fake:
        fake.pages["plain"] = (PLAIN, {})
        yield fake


Visit = Callable[..., Awaitable[Visitor]]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, fake: Fake) -> AsyncIterator[Visit]:
    """`await visit(page="plain", **context)`: a fresh browser profile on a page of the fake server."""
    contexts = []

    async def visit(page: str = "plain", *, url: str | None = None, wait: bool = True, **options: object) -> Visitor:
        options.setdefault("locale", "en-GB")
        context = await browser.new_context(**options)  # type: ignore[arg-type] # playwright's options by name
        contexts.append(context)
        return await Visitor.arrive(context, url or f"{fake.url}/page/{page}", wait=wait)

    yield visit
    for context in contexts:
        await context.close()

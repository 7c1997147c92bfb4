"""What a person does with the widget, and what they see."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

from playwright.async_api import BrowserContext, ConsoleMessage, Error, Locator, Page

PLAIN = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>A shop</title></head>
<body><main><h1>A shop</h1><p>Lamps and clocks. <a href="#x">Catalogue</a></p></main>
<script src="/widget.js" data-persona="support" async></script></body></html>"""

WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    window.violations.push(`${violatedDirective} ${blockedURI}`);
});"""


async def until(
    check: Callable[[], Awaitable[Any]], *, seconds: float = 30, what: str | Callable[[], object] = "it"
) -> Any:
    """Ask again and again until the answer is true; a policy of the page may forbid `wait_for_function`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = await check()
        if answer:
            return answer
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{what if isinstance(what, str) else what()} did not happen within {seconds} s")
        await asyncio.sleep(0.03)


class Visitor:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", self._failed)
        page.on("console", self._said)

    @classmethod
    async def arrive(cls, context: BrowserContext, url: str, *, wait: bool = True) -> Self:
        await context.add_init_script(WATCH)
        return await cls.tab(context, url, wait=wait)

    @classmethod
    async def tab(cls, context: BrowserContext, url: str, *, wait: bool = True) -> Self:
        """A new tab, once its launcher is there (`wait`)."""
        visitor = cls(await context.new_page())
        await visitor.page.goto(url)
        if wait:
            await visitor.launcher.wait_for(state="attached")
        return visitor

    def _failed(self, error: Error) -> None:
        self.errors.append(str(error))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "favicon" not in str(message.location):
            self.errors.append(message.text)

    async def told(self, text: str) -> None:
        """Return once the console has said `text`."""

        async def check() -> bool:
            return any(text in error for error in self.errors)

        await until(check, what=lambda: f"{text!r} in the console, which says {self.errors},")

    def find(self, selector: str) -> Locator:
        return self.page.locator(f"parley-chat >> {selector}")

    @property
    def launcher(self) -> Locator:
        return self.find(".launcher").first

    @property
    def field(self) -> Locator:
        return self.find("textarea").first

    async def open(self) -> None:
        await self.launcher.click()
        await self.field.wait_for()

    async def ask(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def items(self) -> list[dict[str, Any]]:
        """The transcript as the widget holds it."""
        found: list[dict[str, Any]] = await self.page.evaluate("document.querySelector('parley-chat').session.items")
        return found

    async def replies(self, status: str = "done") -> list[str]:
        return [i["text"] for i in await self.items() if i["role"] == "assistant" and i["status"] == status]

    async def answered(self, count: int = 1, *, seconds: float = 30) -> list[str]:
        """The replies, once there are `count` finished ones and none is under way."""

        async def check() -> list[str] | None:
            items = [item for item in await self.items() if item["role"] == "assistant"]
            over = all(item["status"] in ("done", "stopped", "failed") for item in items)
            return [item["text"] for item in items] if over and len(items) >= count else None

        found: list[str] = await until(check, seconds=seconds, what=f"{count} finished replies")
        return found

    async def writing(self) -> None:
        """Return once a reply has begun to appear."""
        await until(lambda: self.replies("running"), what="a reply")

    async def state(self) -> dict[str, Any]:
        """What the browser remembers."""
        found: dict[str, Any] = await self.page.evaluate("document.querySelector('parley-chat').session.memory.state")
        return found

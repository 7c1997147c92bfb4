"""What every page of the evaluation must be."""

import re
from html.parser import HTMLParser


def stands_alone(page: str) -> None:
    """Nothing is loaded, nothing runs, and the page's own policy would forbid it."""
    tags: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Reader().feed(page)
    names = {tag for tag, _ in tags}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not [a for _, attrs in tags for a in attrs if a.startswith("on") or a in ("style", "src", "href")]
    policy = next(a["content"] for _, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"url\(|@import|<built-in|&lt;built-in", page)

"""Text files that people send become part of what they say."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

WAIT_SECONDS = 1.5
MOST = 5
_TEXT_TYPES = {
    *("text", "markdown", "csv", "tsv", "json", "yaml", "xml", "html", "css", "javascript", "typescript", "python"),
    *("java", "c", "cpp", "csharp", "go", "rust", "ruby", "php", "shell", "sql", "swift", "kotlin", "diff", "log"),
    *("ini", "toml", "latex", "r", "perl", "lua", "scala", "post", "space"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What the files said, and the names of those that could not be read."""

    text: str = ""
    refused: tuple[str, ...] = ()


async def read(
    files: Sequence[Mapping[str, Any]], *, token: str, api_url: str, limit: int, session: aiohttp.ClientSession
) -> Read:
    """Text files of up to `limit` bytes each. What is no text, too large or not there in time is refused by name.

    The token goes to Slack's own hosts and to that of `api_url` alone.
    """
    host = urlsplit(api_url).hostname
    texts = await asyncio.gather(
        *(_text(file, token=token, host=host, limit=limit, session=session) for file in files[:MOST])
    )
    named = [(_name(file), text) for file, text in zip(files[:MOST], texts, strict=True)]
    return Read(
        text="\n\n".join(f"[{name}]\n{text}" for name, text in named if text is not None),
        refused=(*(name for name, text in named if text is None), *(_name(file) for file in files[MOST:])),
    )


def _name(file: Mapping[str, Any]) -> str:
    return str(file.get("name") or file.get("title") or file.get("id") or "file")


async def _text(
    file: Mapping[str, Any], *, token: str, host: str | None, limit: int, session: aiohttp.ClientSession
) -> str | None:
    is_text = str(file.get("mimetype", "")).startswith("text/") or file.get("filetype") in _TEXT_TYPES
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    if not is_text or not _is_ours(url, host) or int(file.get("size") or 0) > limit:
        return None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200 or answer.content_type == "text/html":  # a sign-in page
                    return None
                data = await answer.content.read(limit + 1)
                while len(data) <= limit and (more := await answer.content.read(limit + 1 - len(data))):
                    data += more
    except (aiohttp.ClientError, TimeoutError):
        return None
    if len(data) > limit or b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return None


def _is_ours(url: str, host: str | None) -> bool:
    parts = urlsplit(url)
    name = parts.hostname or ""
    slack = parts.scheme == "https" and (name == "slack.com" or name.endswith(".slack.com"))
    return slack or (bool(name) and name == host)

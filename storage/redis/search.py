"""Looks through everything of ours in Redis: the proof that something is gone."""

import json
from collections.abc import Iterator
from typing import Any

from storage.redis.link import Link, Word

_READ: dict[bytes, tuple[Word, tuple[Word, ...]]] = {
    b"string": ("GET", ()),
    b"hash": ("HGETALL", ()),
    b"list": ("LRANGE", (0, -1)),
    b"set": ("SMEMBERS", ()),
    b"zset": ("ZRANGE", (0, -1)),
    b"stream": ("XRANGE", ("-", "+")),
}


async def find(link: Link, needle: str) -> int:
    """How many keys hold the text, in their names or values. Raises ConnectionError."""
    wanted = {needle.encode(), json.dumps(needle)[1:-1].encode()}
    holding: set[bytes] = set()
    cursor = b"0"
    while True:
        cursor, keys = await link.do("SCAN", cursor, "MATCH", f"{link.settings.prefix}:*", "COUNT", 200)
        for key in keys:
            if any(text in piece for piece in _pieces([key, await _value(link, key)]) for text in wanted):
                holding.add(key)
        if cursor == b"0":
            return len(holding)


async def _value(link: Link, key: bytes) -> Any:
    """What the key holds; None where it went meanwhile."""
    kind = await link.do("TYPE", key)
    if kind not in _READ:
        return None
    command, arguments = _READ[kind]
    return await link.do(command, key, *arguments)


def _pieces(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _pieces(inner)

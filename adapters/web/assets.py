"""The files of the pages and the widget, from disk, with strong ETags and gzip."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response

TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
COMPRESSED = frozenset({".html", ".js", ".css", ".json", ".svg", ".txt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file as it is sent. `small` is its gzip form where that helps."""

    stamp: tuple[int, int]
    media_type: str
    content: bytes
    etag: str
    small: bytes | None

    def respond(self, request: Headers, extra: Mapping[str, str]) -> Response:
        """200 or 304. Caches keep the file but ask each time, so that an upgrade shows at once and whole."""
        zipped = self.small if "gzip" in request.get("accept-encoding", "") else None
        etag = f'"{self.etag}{"-gz" if zipped is not None else ""}"'
        headers = {"ETag": etag, "Cache-Control": "public, no-cache", "Vary": "Accept-Encoding", **extra}
        if etag in (tag.strip().removeprefix("W/") for tag in request.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        if zipped is not None:
            headers["Content-Encoding"] = "gzip"
        return Response(zipped or self.content, media_type=self.media_type, headers=headers)


class Assets:
    """Files of known types directly below or within `folder`; read again when they change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._known: dict[Path, Asset] = {}

    def get(self, name: str) -> Asset | None:
        """The file of that relative path. None where there is none, or it lies outside the folder."""
        if "\0" in name or "\\" in name:
            return None
        path = (self._folder / name).resolve()
        media_type = TYPES.get(path.suffix)
        if media_type is None or not path.is_relative_to(self._folder) or not path.is_file():
            return None
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._known.get(path)
        if known is None or known.stamp != stamp:
            known = self._known[path] = self._read(path, stamp, media_type)
        return known

    @staticmethod
    def _read(path: Path, stamp: tuple[int, int], media_type: str) -> Asset:
        content = path.read_bytes()
        small = gzip.compress(content, mtime=0) if path.suffix in COMPRESSED else None
        return Asset(
            stamp=stamp,
            media_type=media_type,
            content=content,
            etag=sha256(content).hexdigest()[:32],
            small=small if small is not None and len(small) < len(content) else None,
        )

"""A reply as messages of a thread: streamed natively while that works, else by edits; finished the same way."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.shared.breaking import State, state_at
from adapters.slack.blocks import pieces, section
from adapters.slack.calls import Refused, Unanswered
from adapters.slack.thread import Found, StoppedByUser, Thread

APPEND_CHARS = 10_000  # Slack takes 12,000 a call
NEAR = 1_000

_PING = re.compile(r"(?<=<)(?=[@!#])")

Note = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A stream ends after so long or so much, and goes on in a new message."""

    seconds: float
    chars: int


def noted(shown: str) -> Found:
    """What a Showing noted."""
    told = json.loads(shown)
    return Found(parts=tuple(told["parts"]), has_file=bool(told["file"]))


def harmless(markdown: str, *, after: str = "") -> str:
    """Streamed Markdown in which nothing pings, also together with what it comes `after`: a zero-width space parts
    what Slack would read as a mention."""
    before = after[-1:]
    return _PING.sub("\u200b", before + markdown)[len(before) :]


@dataclass(slots=True, kw_only=True)
class _Stream:
    """The live message: `begin` is where its part of the text begins."""

    ts: str
    begin: int
    began_at: float


@dataclass(slots=True, kw_only=True)
class Showing:
    """What is visible of one turn. `parts` are its messages in order, known to `note` as they come, and that there may
    be any before the first.

    `is_answer`: a model or a passage gave it, not a command. `lost`: something may be visible that is not among the
    parts; nothing more is shown before it is looked up.
    """

    thread: Thread
    note: Note
    rotation: Rotation
    native: bool = True
    parts: list[str] = field(default_factory=list)
    has_file: bool = False
    is_answer: bool = False
    lost: bool = False
    clock: Callable[[], float] = time.monotonic
    _sent: str = ""
    _noted: bool = False
    _stopped: bool = False
    _stream: _Stream | None = None

    def adopt(self, found: Found) -> None:
        """Go on from what is there: by edits, as nothing of it can be streamed on."""
        self.parts = list(found.parts)
        self.has_file = found.has_file
        self.lost = False
        self._stream, self._sent = None, ""
        if self.parts:
            self.native = False

    @property
    def is_streaming(self) -> bool:
        return self._stream is not None

    async def restart(self) -> None:
        """Another attempt takes the place of what is visible."""
        await self.abandon()
        self.adopt(Found(parts=tuple(self.parts), has_file=self.has_file))

    async def find(self, *, since: datetime, file: str) -> None:
        """Look up what is there."""
        self.adopt(await self.thread.find(since=since, file=file))

    async def show(self, text: str) -> None:
        """Make `text` the visible reply, still in the making. Raises ChannelBusy; after an error that leaves unclear
        what is visible, shows nothing more."""
        if self.lost or self._stopped:
            return
        if not self._noted:
            await self._note()
        try:
            if self.native and text.startswith(self._sent):
                await self._stream_on(text)
            else:
                await self._leave_stream()
                await self._write(text)
        except Unanswered:
            self.lost = True
        except StoppedByUser:
            self._stopped = True

    async def finish(self, text: str, footer: Sequence[dict[str, Any]]) -> None:
        """Make `text` the finished reply. May be called again after an error."""
        if self._stream is not None and not self._stopped and text.startswith(self._sent):
            with suppress(StoppedByUser):
                await self._stream_on(text)
        if await self._end_stream(text, footer):
            return
        self.native, self._stream = False, None
        await self._write(text, footer=footer)

    async def _end_stream(self, text: str, footer: Sequence[dict[str, Any]]) -> bool:
        """Whether the whole text was streamed, and the last stream ended with the footer."""
        stream = self._stream
        if stream is None or self._sent != text:
            return False
        if not await self.thread.stop(stream.ts, "", part=len(self.parts) - 1, blocks=footer):
            return False
        self._stream, self.native = None, False
        return True

    async def abandon(self) -> None:
        """Leave no stream open behind."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self.native = False
            await self.thread.stop(stream.ts, "", part=len(self.parts) - 1)

    async def withdraw(self) -> None:
        """Take away what is visible."""
        self._stream = None
        while self.parts:
            await self.thread.delete(self.parts[-1])
            self.parts.pop()

    async def attach(self, name: str, text: str, *, title: str) -> None:
        """The whole reply as a file, once."""
        if not self.has_file:
            await self.thread.attach(name, text, title=title)
            self.has_file = True
            await self._note()

    async def _stream_on(self, text: str) -> None:
        while len(text) > len(self._sent):
            stream = self._stream
            if stream is None:
                await self._begin_stream(text)
                continue
            room = self.rotation.chars - (len(self._sent) - stream.begin)
            if room <= 0 or self.clock() - stream.began_at > self.rotation.seconds:
                await self._rotate(text)
                continue
            more = text[len(self._sent) :][: min(room, APPEND_CHARS)]
            if await self.thread.append(stream.ts, harmless(more, after=self._sent)):
                self._sent += more
            else:
                self._stream = None  # Slack ended it: what was not added yet begins the next one

    async def _begin_stream(self, text: str) -> None:
        more = text[len(self._sent) :][: self.rotation.chars]
        fence = self._fence()
        try:
            ts = await self.thread.start(harmless((fence.opening() if fence else "") + more))
        except Refused:
            if self.parts:
                raise
            self.native = False  # this place knows no streams
            await self._write(text)
            self._sent = text
            return
        self.parts.append(ts)
        self._stream = _Stream(ts=ts, begin=len(self._sent), began_at=self.clock())
        self._sent += more
        await self._note()

    async def _rotate(self, text: str) -> None:
        """End the stream at the end of a line or word where one is near, with its code block closed."""
        stream = self._stream
        if stream is None:
            return
        rest = text[len(self._sent) :]
        line = rest.find("\n", 0, NEAR) + 1 or rest.find(" ", 0, NEAR) + 1
        closing = harmless(rest[:line], after=self._sent)
        self._sent += rest[:line]
        fence = self._fence()
        self._stream = None
        closing += fence.closing.lstrip("\n") if fence else ""
        await self.thread.stop(stream.ts, closing, part=len(self.parts) - 1)

    def _fence(self) -> Any:
        """The code block that is open where the sent text ends."""
        text = self._sent
        return state_at(text, 0, len(text), State()).fence

    async def _leave_stream(self) -> None:
        if self.native:
            self.native = False
            await self.abandon()

    async def _write(self, text: str, *, footer: Sequence[dict[str, Any]] | None = None) -> None:
        """By edits: the messages that there are, more where they are too few, none left over."""
        wanted = pieces(text) if text.strip() else []
        for number, piece in enumerate(wanted):
            last = number == len(wanted) - 1
            blocks = [section(piece), *footer] if footer is not None and last else None
            if number < len(self.parts):
                try:
                    await self.thread.update(self.parts[number], piece, part=number, blocks=blocks)
                    continue
                except Refused as refused:
                    if refused.error not in {"message_not_found", "cant_update_message", "edit_window_closed"}:
                        raise
                    self.parts[number] = await self.thread.post(piece, part=number, blocks=blocks)
            else:
                self.parts.append(await self.thread.post(piece, part=number, blocks=blocks))
            await self._note()
        while len(self.parts) > len(wanted):
            await self.thread.delete(self.parts[-1])
            self.parts.pop()
            await self._note()

    async def _note(self) -> None:
        self._noted = True
        await self.note(json.dumps({"parts": self.parts, "file": self.has_file}))

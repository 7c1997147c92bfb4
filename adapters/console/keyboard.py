"""Lines from standard input: edited with history on a terminal, plain from a file or a pipe."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager


class Keyboard:
    """One person at standard input."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty()
        self._ahead: deque[str] = deque()

    async def lines(self) -> AsyncIterator[str]:
        """Until the end of input (Ctrl-D). What was typed during a reply comes first."""
        read: Callable[[], Awaitable[str | None]] = self._edited() if self.is_terminal else self._piped
        while True:
            if self._ahead:
                yield self._ahead.popleft()
                continue
            line = await read()
            if line is None:
                return
            yield line

    @contextmanager
    def during_reply(self, hear: Callable[[str], bool]) -> Iterator[None]:
        """On a terminal, offer each line typed meanwhile to `hear`; what it does not take is kept for `lines`."""
        if not self.is_terminal:
            yield
            return
        loop = asyncio.get_running_loop()
        descriptor = sys.stdin.fileno()
        partial = b""

        def readable() -> None:
            nonlocal partial
            data = os.read(descriptor, 4096)
            if not data:
                loop.remove_reader(descriptor)
                return
            *lines, partial = (partial + data).split(b"\n")
            for line in lines:
                text = line.decode("utf-8", errors="replace")
                if text.strip() and not hear(text):
                    self._ahead.append(text)

        loop.add_reader(descriptor, readable)
        try:
            yield
        finally:
            loop.remove_reader(descriptor)

    @staticmethod
    def _edited() -> Callable[[], Awaitable[str | None]]:
        from prompt_toolkit import PromptSession  # noqa: PLC0415 -- a pipe does not need it

        session: PromptSession[str] = PromptSession()

        async def read() -> str | None:
            while True:
                try:
                    line: str = await session.prompt_async("› ")
                except KeyboardInterrupt:
                    continue
                except EOFError:
                    return None
                else:
                    return line

        return read

    @staticmethod
    async def _piped() -> str | None:
        line = await asyncio.to_thread(sys.stdin.readline)
        return line or None

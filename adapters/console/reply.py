"""Shows a reply as it comes: streamed on a terminal, once and exactly where the output is a file or a pipe."""

import sys
from typing import TextIO

DIM, PLAIN = "\x1b[2m", "\x1b[0m"


class Screen:
    """Standard output. `streams` tells whether a person watches it grow."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self.streams = self._out.isatty()

    def write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def note(self, text: str) -> None:
        """A line beside the conversation, dim on a terminal."""
        self.write(f"{DIM}{text}{PLAIN}\n" if self.streams else f"{text}\n")


class ConsoleReply:
    """The visible text of one attempt."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.shown = ""

    async def write(self, text: str) -> None:
        self.shown += text
        if self._screen.streams:
            self._screen.write(text)

    async def replace(self, text: str) -> None:
        """What was printed stays on a terminal, so the new text starts below it."""
        if self._screen.streams and self.shown:
            self._screen.write("\n")
            self._screen.note("— corrected —")
            self._screen.write(text)
        elif self._screen.streams:
            self._screen.write(text)
        self.shown = text

    def finish(self, text: str) -> None:
        """Complete what is shown to the final text, and end the line."""
        if not self._screen.streams:
            self._screen.write(text.rstrip("\n") + "\n")
        elif text.startswith(self.shown):
            self._screen.write(text[len(self.shown) :] + "\n")
        else:
            self._screen.write("\n")
            self._screen.note("— corrected —")
            self._screen.write(text + "\n")

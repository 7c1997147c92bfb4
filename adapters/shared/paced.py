"""A reply whose visible text follows at the pace of its platform."""

from adapters.shared.pacing import Pace


class PacedReply:
    """One attempt's text. `write` and `replace` never wait for the platform: `Pace` shows the newest of it."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._text = ""

    async def write(self, text: str) -> None:
        self._text += text
        if self._text.strip():
            self._pace.update(self._text)

    async def replace(self, text: str) -> None:
        self._text = text
        self._pace.update(text)

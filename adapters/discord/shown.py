"""Where a reply is shown, as it is noted in the store."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The messages of a reply in order; `use` tells that the first answers an interaction."""

    messages: tuple[int, ...] = ()
    use: str | None = None

    def encode(self) -> str:
        return json.dumps({"messages": self.messages, "use": self.use})

    @classmethod
    def decode(cls, text: str | None) -> "Shown":
        if text is None:
            return cls()
        held = json.loads(text)
        return cls(messages=tuple(held["messages"]), use=held["use"])

"""How many tokens a prompt has: exactly, by the model's own tokenizer, or by an estimate that is rather too high."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bot.engine.folder import read_chat
from bot.engine.template import ChatTemplate
from bot.engine.tokens import ChatTokens, read_tokenizer
from bot.types import Message

_PER_MESSAGE = 6
_PER_PROMPT = 8
_ENOUGH = 50
"""Prompts with fewer tokens say more about the chat template than about the text."""
_MOST_SCALE = 4.0
_KINDS = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<blank>[ \t]+)|(?P<line>\s+)|(?P<letters>[\u00c0-\u07ff]+)"
    r"|(?P<wide>[\u2e80-\ud7ff\uf900-\uffef]+)|(?P<sign>[!-/0-9:-@\[-`{-~]+)|(?P<rest>.)",
    re.DOTALL,
)


class Counter(Protocol):
    exact: bool

    def count(self, messages: Sequence[Message]) -> int: ...

    def learn(self, messages: Sequence[Message], tokens: int) -> None:
        """The server counted these messages as `tokens`."""
        ...


class ExactCounter:
    exact = True

    def __init__(self, folder: Path) -> None:
        """Raises ModelRefused for a tokenizer or template that cannot be used."""
        template, special = read_chat(folder)
        variables = {**special, "enable_thinking": False}
        tokenizer = read_tokenizer(folder / "tokenizer.json")
        self._tokens = ChatTokens(tokenizer, ChatTemplate(template, variables=variables))

    def count(self, messages: Sequence[Message]) -> int:
        return len(self._tokens.encode(messages))

    def learn(self, messages: Sequence[Message], tokens: int) -> None:
        """Nothing to learn."""


class EstimatingCounter:
    """By the kinds of characters; raised for good where a server counts more, so that it errs at most once."""

    exact = False

    def __init__(self) -> None:
        self._scale = 1.0

    def count(self, messages: Sequence[Message]) -> int:
        return math.ceil(self._scale * _plain(messages))

    def learn(self, messages: Sequence[Message], tokens: int) -> None:
        plain = _plain(messages)
        if plain >= _ENOUGH:
            self._scale = min(_MOST_SCALE, max(self._scale, tokens / plain))


def _plain(messages: Sequence[Message]) -> int:
    return _PER_PROMPT + sum(_PER_MESSAGE + estimate(message.text) for message in messages)


def estimate(text: str) -> int:
    """Tokens of a text for a vocabulary of usual size."""
    return math.ceil(sum(_weight(found.lastgroup, found[0]) for found in _KINDS.finditer(text)))


def _weight(kind: str | None, text: str) -> float:
    match kind:
        case "word":
            return max(1.0, len(text) / 4)
        case "blank":
            return 0.0 if len(text) == 1 else 1 + len(text) / 16
        case "letters":
            return max(1.0, len(text) / 2)
        case "wide":
            return 1.1 * len(text)
        case "line" | "sign":
            return float(len(text))
        case _:
            return float(len(text.encode("utf-8", "replace")))

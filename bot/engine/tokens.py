"""Messages to the token ids the model reads. The worker is sent these ids, so counting and generating agree."""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from bot.engine.template import ChatTemplate
from bot.errors import ModelRefused
from bot.types import Message

_REMEMBERED = 64
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`. Raises ModelRefused."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for whatever is wrong
        raise ModelRefused(f"{path} is no tokenizer that can be read ({str(error)[:200]}); fetch it again") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class ChatTokens:
    """Renders and encodes. A special token that stands in a message's text is encoded as the text it is."""

    def __init__(self, tokenizer: Tokenizer, template: ChatTemplate) -> None:
        self._tokenizer = tokenizer
        self._template = template
        special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
        longest_first = sorted(filter(None, special), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
        self._remembered: OrderedDict[tuple[Message, ...], tuple[int, ...]] = OrderedDict()

    def encode(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The prompt's token ids. Raises EngineError where the template refuses the conversation."""
        key = tuple(messages)
        if (ids := self._remembered.get(key)) is not None:
            self._remembered.move_to_end(key)
            return ids
        text = self._template.render([Message(role=m.role, text=self._marked(m.text)) for m in key])
        ids = tuple(self._encode(text))
        self._remembered[key] = ids
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return ids

    def _marked(self, text: str) -> str:
        clean = text.encode("utf-8", "replace").decode().replace(_OPEN, "").replace(_CLOSE, "")
        return self._special.sub(lambda found: f"{_OPEN}{found[0]}{_CLOSE}", clean)

    def _encode(self, text: str) -> list[int]:
        """Pieces between the marks are text even where they spell a special token."""
        ids: list[int] = []
        for number, piece in enumerate(re.split(f"[{_OPEN}{_CLOSE}]", text)):
            if piece:
                self._tokenizer.encode_special_tokens = bool(number % 2)
                specials = self._template.plain and number == 0
                ids += self._tokenizer.encode(piece, add_special_tokens=specials).ids
        self._tokenizer.encode_special_tokens = False
        return ids


class Detokenizer:
    """Token ids to text, piece by piece; the pieces join to the decoding of the whole.

    A character whose bytes are spread over several tokens comes out whole, when its last byte is there.
    """

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._before = 0
        self._shown = ""

    def spell(self, token: int) -> str:
        """The token alone."""
        return self._decode([token])

    def write(self, token: int) -> str:
        self._ids.append(token)
        text = self._decode(self._ids)
        if text.endswith("\ufffd"):
            return ""
        new = text[len(self._shown) :]
        if not new:
            return ""
        # keep one finished stretch as context: how a token is spelled may depend on what stands before it
        del self._ids[: self._before]
        self._before = len(self._ids)
        self._shown = self._decode(self._ids)
        return new

    def finish(self) -> str:
        """What is left; a character that was cut off in the middle is left out."""
        return self._decode(self._ids)[len(self._shown) :].rstrip("\ufffd")


class StopStrings:
    """Cuts text before the first stop string, wherever the pieces break; `found` says that it did."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(filter(None, stops))
        self._held = ""
        self.found = False

    def write(self, piece: str) -> str:
        """What may be shown now; the beginning of a possible stop string is held back."""
        if self.found:
            return ""
        text = self._held + piece
        cuts = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if cuts:
            self.found = True
            self._held = ""
            return text[: min(cuts)]
        keep = 0
        for stop in self._stops:
            for size in range(min(len(stop) - 1, len(text)), keep, -1):
                if text.endswith(stop[:size]):
                    keep = size
                    break
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        held, self._held = self._held, ""
        return held

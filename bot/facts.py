"""Facts that a persona remembers, found by rules in what a person writes, in English and Chinese.

"My order number is 12345", "order number: A-77", "订单号不是 A-77，是 A-78": a value is always a piece of the person's
own text, and the last one given counts.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

_LONGEST = 64  # characters of a value
_MOST = 20_000  # characters of a message that are looked at

_NUMBERED = re.compile(r"(?:number|no|nr|id|code|pin|号|号码|编号|码)$", re.IGNORECASE)
_NUMBER_WORD = r"(?:number|no\.?|nr\.?|\#)"
_CODE = r"(?:\+\d+(?:[ -]?\d+)*|(?=[A-Za-z_/-]{0,20}\d)[A-Za-z0-9]+(?:[-_/][A-Za-z0-9]+|[.,]\d+)*)"
_A_CODE = re.compile(rf"\s*\#?\s*({_CODE})")
_ADDRESS = re.compile(r"\s*([\w.+-]+@[\w-]+(?:\.[\w-]+)+)", re.ASCII)
_WORDS = re.compile(r"\s*((?:[A-Za-zÀ-ɏ0-9][A-Za-zÀ-ɏ0-9'’./-]{0,30}[ ]?){1,5})")
_HAN = re.compile(r"\s*([\u3400-\u9fff·]{1,16})")
_IS = re.compile(
    r"\s*(?:[:：=]|\b(?:is|was)\b|['’]s\b|(?:现在|其实|应该|应)?[是为叫]|改[成为]|换成)(?:\s*(?:now|actually)\b)?\s*[:：]?",
    re.IGNORECASE,
)
_DENIED = re.compile(
    rf"\s*(?:not|不是?)\s*\#?\s*{_CODE}\s*[,，;；]?\s*(?:but|it\s+is|it['’]s|is|而?是|应该是)\s*[:：]?", re.IGNORECASE
)
_GOES_ON = frozenset(
    """a an the not no none unknown wrong right missing lost gone correct incorrect invalid different same what which
    who where when why how and or but so because please thanks thank can could would should do does did i you we it
    that this there here on in at for from with to still""".split()  # noqa: SIM905 - reads better
)
_GOES_ON_HAN = re.compile("什么|多少|哪|谁|几|吗|呢|吧|啊|了|请|但|而|谢谢|不|没|错|无|忘|丢")


def facts_in(names: Sequence[str], text: str) -> Mapping[str, str]:
    """The values that `text` gives to the facts of these names, each a piece of it; none where it gives none."""
    found = {name: _last(name, text[:_MOST]) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _last(name: str, text: str) -> str | None:
    values = [_value(name, text, place.end()) for place in _spoken(name).finditer(text)]
    return next((value for value in reversed(values) if value), None)


def _value(name: str, text: str, start: int) -> str | None:
    """What is said of the name that ends at `start`; a number may follow it without a verb."""
    is_said = False
    for step in (_IS, _DENIED):
        if match := step.match(text, start):
            start, is_said = match.end(), True
    if _NUMBERED.search(name):
        match = _A_CODE.match(text, start)
        return match[1][:_LONGEST] if match else None
    if not is_said:
        return None
    if match := _ADDRESS.match(text, start):
        return match[1][:_LONGEST]
    if match := _WORDS.match(text, start):
        return _until(match[1])
    match = _HAN.match(text, start)
    return _GOES_ON_HAN.split(match[1])[0] or None if match else None


def _until(said: str) -> str | None:
    """The words up to the first that goes on with something else."""
    end = next((match.start() for match in re.finditer(r"\S+", said) if match[0].lower() in _GOES_ON), len(said))
    return said[:end].strip(" .'’/-")[:_LONGEST] or None


@lru_cache(maxsize=256)
def _spoken(name: str) -> re.Pattern[str]:
    """The name as people write it: `order_number` is "order number", "Order no." and "order #" too."""
    parts = [part for part in re.split(r"[\s_-]+", name) if part]
    words = [_NUMBER_WORD if part.lower() in ("number", "no", "nr") else re.escape(part) for part in parts]
    pattern = r"[\s_-]*".join(words) or r"(?!)"
    before = r"(?<![A-Za-z0-9])" if name[:1].isascii() else ""
    after = r"(?![A-Za-z])" if name[-1:].isascii() else ""
    return re.compile(before + pattern + after, re.IGNORECASE)

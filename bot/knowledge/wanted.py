"""What kind of thing a question wants to hear, a duration, a price, a time of day, a telephone number, and whether a
text says one."""

import re
from collections.abc import Callable

from bot.knowledge.numerals import numbers
from bot.knowledge.words import normal

_TIMES = frozenset(("minute", "hour", "day", "week", "month", "year"))
_MONEY = frozenset(("usd", "eur", "gbp", "cny"))
_FREE = re.compile(r"\b(?:free|no cost)\b|免费|免运费|不收", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}:\d{2}|\d\s*(?:[ap]\.?m\b)|\d\s*点|\bclosed\b|休息|关门", re.IGNORECASE)
_PHONE = re.compile(r"\d{3}-\d{4}|\d{7,}")


def _says_duration(text: str) -> bool:
    return any(number.unit in _TIMES for number in numbers(text))


def _says_price(text: str) -> bool:
    return _FREE.search(text) is not None or any(number.unit in _MONEY for number in numbers(text))


def _says_clock(text: str) -> bool:
    return _CLOCK.search(text) is not None


def _says_phone(text: str) -> bool:
    return _PHONE.search(text) is not None


_KINDS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), says)
    for asked, says in (
        (
            (
                r"\bhow (?:long|soon|many (?:minutes|hours|days|weeks|months|years))\b|\bwhen (?:do|does|will|can)\b"
                r"|多久|多长时间|几天|几周|几个月|几年|多少天|什么时候|何时"
            ),
            _says_duration,
        ),
        (r"\b(?:price|cost|costs|fee|postage|charge|pay for)\b|多少钱|运费|邮费|价格|费用|要钱", _says_price),
        (
            r"\b(?:what time|till when|opening|open|opens|close|closes|hours)\b|几点|开门|关门|营业",
            _says_clock,
        ),
        (r"\b(?:phone|telephone|call you|ring you)\b|电话|热线|手机号", _says_phone),
    )
)


def answered(question: str, text: str) -> float:
    """The share of the kinds wanted by the question that the text says, 0…1; 1 where it wants none of them."""
    wanted = [says for asked, says in _KINDS if asked.search(question)]
    if not wanted:
        return 1.0
    said = normal(text)
    return sum(says(said) for says in wanted) / len(wanted)

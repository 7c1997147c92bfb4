"""What kind of thing a question wants to hear, a duration, a price, a time of day, a telephone number, and whether a
text says one."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    asked: re.Pattern[str]
    said: re.Pattern[str]


def _kind(asked: str, said: str) -> Kind:
    return Kind(re.compile(asked, re.IGNORECASE), re.compile(said, re.IGNORECASE))


_KINDS = (
    _kind(
        r"\bhow (?:long|soon|many (?:minutes|hours|days|weeks|months|years))\b|\bwhen (?:do|does|will|can)\b"
        r"|多久|多长时间|几天|几周|几个月|几年|多少天|什么时候|何时",
        r"\d[\d.,]*\s*(?:to \d+\s*)?(?:working |business )?(?:minute|hour|day|week|month|year)s?\b"
        r"|\d+\s*(?:到|至)?\s*\d*\s*个?\s*(?:工作日|分钟|小时|天|日|周|星期|月|年)",
    ),
    _kind(
        r"\b(?:price|cost|costs|fee|postage|charge|pay for)\b|多少钱|运费|邮费|价格|费用|要钱",
        r"[$€£¥]\s?\d|\d[\d.]*\s*(?:美元|元|块)|\bfree\b|免费|免运费|不收",
    ),
    _kind(
        r"\b(?:what time|till when|opening|open|opens|close|closes|hours)\b|几点|开门|关门|营业",
        r"\d{1,2}:\d{2}|\d\s*(?:am|pm)\b|\d\s*点",
    ),
    _kind(r"\b(?:phone|telephone|call you|ring you)\b|电话|热线|手机号", r"\d{3}-\d{4}|\d{7,}"),
)


def answered(question: str, text: str) -> float:
    """The share of the kinds wanted by the question that the text says, 0…1; 1 where it wants none of them."""
    wanted = [kind for kind in _KINDS if kind.asked.search(question)]
    if not wanted:
        return 1.0
    return sum(1 for kind in wanted if kind.said.search(text)) / len(wanted)

"""Greetings, which no document answers."""

import re

_GREETINGS = re.compile(
    r"""(?:(?:hi|hiya|hello|hey|howdy|good\ (?:morning|afternoon|evening|day))(?:\ (?:there|all|everyone))?
    |(?:hi|hello|hey)?\s?(?:who\ are\ you|what\ are\ you|what\ is\ your\ name|what's\ your\ name|what\ can\ you\ do
    |what\ can\ you\ help\ (?:me\ )?with|how\ can\ you\ help(?:\ me)?|help)
    |(?:你好|您好|嗨|哈喽|在吗|早上好|上午好|中午好|下午好|晚上好)+[啊呀吗]?
    |(?:你好|您好)?(?:你|您)(?:是谁|叫什么(?:名字)?|能做(?:些)?什么|会(?:做)?(?:些)?什么|可以做(?:些)?什么|能帮我(?:做)?(?:些)?什么))""",
    re.VERBOSE | re.IGNORECASE,
)


def is_greeting(text: str) -> bool:
    """Whether a message only greets, or asks who it is talking to."""
    spoken = re.sub(r"[\s,，.。!！?？~～]+", " ", text).strip()
    return _GREETINGS.fullmatch(re.sub(r"(?<=好) ", "", spoken)) is not None

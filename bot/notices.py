"""What Parley itself says to a person who chats, in English and Chinese."""

from bot.types import LocalText

INTERRUPTED = LocalText(
    {"en": "This answer was interrupted. Please ask again.", "zh": "回答中断了，请再问一次。"},
)
TOO_LONG = LocalText(
    {
        "en": "This message is too long for the model. Please shorten it.",
        "zh": "这条消息对模型来说太长了，请缩短后再发。",
    },
)
NO_PERSONA = LocalText(
    {
        "en": "This assistant is not available at the moment. Please try again later.",
        "zh": "该助手暂时不可用，请稍后再试。",
    },
)

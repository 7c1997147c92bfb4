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
MAY_TRAIN = LocalText(
    {
        "en": "Answers that you rate as good may train this assistant, without your name and contact details.",
        "zh": "您评为好的回答，去掉您的姓名和联系方式后，可能用于训练本助手。",
    },
)
BUSY = LocalText(
    {
        "en": "I am busy at the moment and could not take this message. Please try again in about {seconds} seconds.",
        "zh": "我现在很忙，没能处理这条消息。请在大约 {seconds} 秒后再试。",
    },
)
SLOWER = LocalText(
    {
        "en": "That was a lot at once, and I did not take this message. Please try again in about {seconds} seconds.",
        "zh": "消息发得太快了，这条没有处理。请在大约 {seconds} 秒后再试。",
    },
)

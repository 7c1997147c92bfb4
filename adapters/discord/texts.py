"""What the channel itself says, in English and Chinese."""

from bot.types import LocalText

SOURCES = LocalText({"en": "Sources", "zh": "来源"})
THANKS = LocalText({"en": "Thank you, noted.", "zh": "谢谢，已记录。"})
UNKNOWN = LocalText({"en": "I no longer have that.", "zh": "这条内容已经不在了。"})
UNAVAILABLE = LocalText(
    {"en": "I cannot take this at the moment. Please try again shortly.", "zh": "暂时无法处理，请稍后再试。"}
)
CHOOSE = LocalText({"en": "Choose who answers here", "zh": "选择由谁在这里回答"})
NOT_HERE = LocalText({"en": "I do not answer on this server.", "zh": "我不在这个服务器上回答。"})
ABOUT = LocalText({"en": "What do you say to this message?", "zh": "你怎么看这条消息？"})
NO_TEXT_FILE = LocalText(
    {"en": "I cannot read `{name}`: I take text files.", "zh": "我读不了 `{name}`：我只接受文本文件。"}
)
TOO_BIG = LocalText(
    {
        "en": "`{name}` is too big: I take text files of up to {most} KiB.",
        "zh": "`{name}` 太大了：我接受不超过 {most} KiB 的文本文件。",
    }
)
THREAD = LocalText({"en": "Question", "zh": "提问"})
KEPT = LocalText(
    {
        "en": "Of you I keep here: {said} messages of yours and {answers} answers to them in {conversations} "
        "conversations, {facts} noted facts, {ratings} ratings. All of it is in the file. `/forget` deletes what was "
        "said in the place where you use it.",
        "zh": "我在这里保存了您的 {said} 条消息和 {answers} 条回答（共 {conversations} 个对话）、{facts} 条记下的内容、"
        "{ratings} 个评价，全部在文件里。在某处使用 `/forget` 会删除那里的对话。",
    }
)
KEPT_CUT = LocalText(
    {
        "en": " The file is cut at its greatest length; whoever runs me can export the rest.",
        "zh": "文件已达最大长度；其余内容可由管理员导出。",
    }
)
KEPT_NOTHING = LocalText({"en": "Of you I keep nothing here.", "zh": "我在这里没有保存您的任何内容。"})
TOO_OFTEN = LocalText(
    {
        "en": "You asked for this a moment ago. Please try again in {seconds} seconds.",
        "zh": "您刚刚问过，请过 {seconds} 秒再试。",
    }
)
KEPT_OF_OTHERS = LocalText(
    {
        "en": "I tell this only to the person themselves: use it on yourself.",
        "zh": "这只告诉本人：请对您自己使用。",
    }
)

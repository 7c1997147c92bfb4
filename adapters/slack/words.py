"""What the app says on Slack beside its replies, in English and Chinese."""

from collections.abc import Mapping

from bot.types import LocalText

SOURCES = LocalText({"en": "Sources", "zh": "来源"})
STOPPED = LocalText({"en": "Stopped.", "zh": "已停止。"})
FEEDBACK: Mapping[str, LocalText] = {
    "up": LocalText({"en": "Good answer", "zh": "回答得好"}),
    "down": LocalText({"en": "Bad answer", "zh": "回答得不好"}),
}
THANKS = LocalText({"en": "Thank you, that is noted.", "zh": "谢谢，已记下您的评价。"})
THINKING = LocalText({"en": "is thinking…", "zh": "正在思考…"})
LOADING: tuple[LocalText, ...] = (
    LocalText({"en": "Reading what was said…", "zh": "正在阅读对话…"}),
    LocalText({"en": "Looking it up…", "zh": "正在查找资料…"}),
    LocalText({"en": "Writing…", "zh": "正在写回答…"}),
)
ASK_ME = LocalText({"en": "What would you like to know?", "zh": "您想了解什么？"})
ATTACHED = LocalText({"en": "The whole answer is in the file.", "zh": "完整的回答在文件里。"})
ANSWER = LocalText({"en": "Answer", "zh": "回答"})
UNREAD = LocalText(
    {
        "en": "I read text files of up to {kib} KiB, so I left out: {names}.",
        "zh": "我只能读取不超过 {kib} KiB 的文本文件，以下文件没有读取：{names}。",
    }
)
HOME_TITLE = LocalText({"en": "Who you can talk to", "zh": "您可以和谁聊"})
HOME_HOW = LocalText(
    {
        "en": "Write to me here, or mention me in a channel. I answer in a thread; go on there without mentioning me. "
        "In a thread `!help` lists what else you can do, and `!persona NAME` chooses who answers.",
        "zh": "在这里给我发消息，或在频道里 @ 我。我会在消息列中回答，接着说时不必再 @ 我。"
        "在消息列中发送 `!help` 查看可用的命令，发送 `!persona 名称` 选择由谁回答。",
    }
)
HOME_MORE = LocalText(
    {
        "en": "… and {number} more. `!persona` in a thread lists them all.",
        "zh": "……还有 {number} 个角色。在消息列中发送 `!persona` 可查看全部。",
    }
)
HOME_MEMORY = LocalText({"en": "What I remember about you", "zh": "我记得的关于您的内容"})
HOME_STORED = LocalText(
    {
        "en": "Conversations: {conversations}. Messages: {messages}.",
        "zh": "{conversations} 个对话，{messages} 条消息。",
    }
)
HOME_NOTHING = LocalText(
    {"en": "Nothing: there is no conversation with you.", "zh": "什么都没有：没有和您的对话记录。"}
)
FORGET_ME = LocalText({"en": "Forget me", "zh": "忘记我"})
SURE = LocalText({"en": "Delete everything?", "zh": "全部删除？"})
SURE_WHAT = LocalText(
    {
        "en": "All that you asked me in this workspace, my answers, and what I noted. It cannot be brought back.",
        "zh": "您在此工作区问过我的全部内容、我的回答以及我记下的内容，删除后无法恢复。",
    }
)
CANCEL = LocalText({"en": "Cancel", "zh": "取消"})
FORGOTTEN = LocalText({"en": "Done: everything is deleted.", "zh": "好的，已全部删除。"})
BIND_TITLE = LocalText({"en": "Who answers here?", "zh": "这里由谁回答？"})
BIND_LABEL = LocalText({"en": "Persona", "zh": "角色"})
BIND_CHANNEL = LocalText({"en": "Channel", "zh": "频道"})
SAVE = LocalText({"en": "Save", "zh": "保存"})
BOUND = LocalText({"en": "*{title}* answers in <#{channel}> now.", "zh": "现在由 *{title}* 在 <#{channel}> 中回答。"})
ADMINS_ONLY = LocalText(
    {
        "en": "Only an administrator of this workspace can choose who answers in a channel.",
        "zh": "只有工作区管理员可以选择由谁在频道中回答。",
    }
)
NOTHING_RUNS = LocalText({"en": "No reply is being written here.", "zh": "这里没有正在写的回答。"})
COMMAND_HELP = LocalText(
    {
        "en": "Mention me in a message to ask something; I answer in its thread.\n"
        "`{command} persona` chooses who answers in this channel (administrators).\n"
        "`{command} stop` stops the replies that are being written in this channel.\n"
        "`{command} forget` deletes all that you asked me in this workspace.\n"
        "In a thread you can send `!new`, `!persona`, `!stop`, `!memory`, `!forget` and `!help`.",
        "zh": "在消息里 @ 我就可以提问，我会在消息列中回答。\n"
        "`{command} persona`（`{command} 角色`）选择由谁在本频道回答（限管理员）。\n"
        "`{command} stop`（`{command} 停止`）停止本频道正在写的回答。\n"
        "`{command} forget`（`{command} 忘记`）删除您在此工作区问过我的全部内容。\n"
        "在消息列中还可以发送 `!new`、`!persona`、`!stop`、`!memory`、`!forget`、`!help`。",
    }
)
IN_CHINESE: Mapping[str, str] = {"角色": "persona", "停止": "stop", "忘记": "forget"}

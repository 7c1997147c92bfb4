"""Commands that a person sends as a message, such as `!forget`, in English and Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.types import Change, LocalText, Memory, Persona


class Command(StrEnum):
    NEW = "new"
    PERSONA = "persona"
    STOP = "stop"
    MEMORY = "memory"
    FORGET = "forget"
    HELP = "help"


_CHINESE: Mapping[str, Command] = {
    "新对话": Command.NEW,
    "角色": Command.PERSONA,
    "停止": Command.STOP,
    "记忆": Command.MEMORY,
    "忘记": Command.FORGET,
    "帮助": Command.HELP,
}
_NAMES: Mapping[str, Command] = {**{command.value: command for command in Command}, **_CHINESE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command as it was given. `language` is `zh` where it was written in Chinese; its English name tells nothing."""

    command: Command
    argument: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a command is answered from. `personas` are those the person may choose from; `memory` is asked for by
    MEMORY alone; `keep` None means until somebody deletes it; `rating_notice` is the persona's."""

    locale: str | None
    personas: tuple[Persona, ...] = ()
    memory: Memory | None = None
    keep: timedelta | None = None
    running: bool = False
    rating_notice: LocalText | None = None
    now: datetime

    def persona(self, name: str | None) -> Persona | None:
        return next((persona for persona in self.personas if persona.name == name), None)


def order_in(text: str) -> Order | None:
    """The command that a message is: alone on its only line, nothing beside it but a persona's name."""
    word, *rest = text.split()[:3] or [""]
    if word[:1] not in ("!", "！") or len(text.strip().splitlines()) > 1:
        return None
    command = _NAMES.get(word[1:].lower())
    if command is None or len(rest) > (command is Command.PERSONA):
        return None
    language = None if word[1:].isascii() else "zh"
    return Order(command=command, argument=rest[0].lower() if rest else None, language=language)


def change_of(order: Order, situation: Situation) -> Change | None:
    """What the command does to its conversation."""
    match order.command:
        case Command.FORGET:
            return Change(forget=True)
        case Command.NEW:
            return Change(anew=True)
        case Command.PERSONA if (chosen := situation.persona(order.argument)) is not None:
            return Change(anew=True, persona=chosen.name)
        case _:
            return None


def reply_to(order: Order, situation: Situation) -> str:
    """What Parley answers."""
    locale = situation.locale
    match order.command:
        case Command.FORGET:
            return _FORGOTTEN.pick(locale)
        case Command.NEW:
            return _ANEW.pick(locale)
        case Command.STOP:
            return (_STOPPED if situation.running else _IDLE).pick(locale)
        case Command.HELP:
            return _help(situation)
        case Command.MEMORY:
            return _remembered(situation)
        case Command.PERSONA:
            return _chosen(order.argument, situation)


def _help(situation: Situation) -> str:
    locale = situation.locale
    lines = [_HELP[command].pick(locale) for command in Command if _offered(command, situation)]
    if situation.rating_notice is not None:
        lines.append(situation.rating_notice.pick(locale))
    return "\n".join(lines)


def _offered(command: Command, situation: Situation) -> bool:
    return command is not Command.PERSONA or bool(situation.personas)


def _chosen(name: str | None, situation: Situation) -> str:
    locale = situation.locale
    if not situation.personas:
        return _FIXED.pick(locale)
    chosen = situation.persona(name)
    if chosen is not None:
        said = _NOW_WITH.pick(locale).format(title=chosen.title.pick(locale))
        return said if chosen.greeting is None else f"{said} {chosen.greeting.pick(locale)}"
    entry = _ENTRY.pick(locale)
    entries = (
        entry.format(name=persona.name, title=persona.title.pick(locale), what=persona.description)
        for persona in situation.personas
    )
    said = _CHOICE.pick(locale) if name is None else _NO_SUCH.pick(locale).format(name=name)
    return "\n".join((said, *entries))


def _remembered(situation: Situation) -> str:
    locale, memory = situation.locale, situation.memory
    parts: list[str] = []
    if memory is not None and memory.facts:
        fact = _FACT.pick(locale)
        lines = (fact.format(name=name, value=value) for name, value in memory.facts.items())
        parts.append("\n".join((_FACTS.pick(locale), *lines)))
    if memory is not None and memory.summary is not None:
        parts.append(f"{_SUMMARY.pick(locale)}\n{memory.summary.text}")
    if not parts:
        parts.append(_NOTHING.pick(locale))
    if situation.keep is None:
        parts.append(_FOREVER.pick(locale))
    else:
        date = (situation.now + situation.keep).strftime("%Y-%m-%d")
        parts.append(_UNTIL.pick(locale).format(days=situation.keep.days, date=date))
    return "\n\n".join(parts)


_FORGOTTEN = LocalText(
    {
        "en": "Done: everything said before in this conversation is deleted, with what I had noted about it.",
        "zh": "好的：本次对话之前的内容和我记下的内容都已删除。",
    }
)
_ANEW = LocalText(
    {
        "en": "A new conversation: I go by nothing that was said before. `!forget` would delete it.",
        "zh": "新对话开始：之前说的我不再参考。若要删除，请发送 `!forget`。",
    }
)
_STOPPED = LocalText({"en": "Stopped.", "zh": "已停止。"})
_IDLE = LocalText({"en": "There is nothing to stop: no reply is being written.", "zh": "现在没有正在写的回答。"})
_HELP: Mapping[Command, LocalText] = {
    Command.NEW: LocalText({"en": "`!new` begins a new conversation.", "zh": "`!new`（`!新对话`）开始新对话。"}),
    Command.PERSONA: LocalText(
        {
            "en": "`!persona` lists who can answer, `!persona NAME` chooses one.",
            "zh": "`!persona`（`!角色`）列出可以回答的角色，`!persona 名称` 选择一个。",
        }
    ),
    Command.STOP: LocalText(
        {"en": "`!stop` stops the reply that is being written.", "zh": "`!stop`（`!停止`）停止正在写的回答。"}
    ),
    Command.MEMORY: LocalText(
        {
            "en": "`!memory` shows what I remember of this conversation and until when.",
            "zh": "`!memory`（`!记忆`）显示我记住的内容和保留期限。",
        }
    ),
    Command.FORGET: LocalText(
        {"en": "`!forget` deletes all that was said here.", "zh": "`!forget`（`!忘记`）删除这里的全部对话。"}
    ),
    Command.HELP: LocalText({"en": "`!help` shows this list.", "zh": "`!help`（`!帮助`）显示这份列表。"}),
}
_FIXED = LocalText({"en": "Who answers here cannot be changed.", "zh": "这里的角色不能更换。"})
_NOW_WITH = LocalText({"en": "You are now talking to {title}.", "zh": "现在由{title}为您服务。"})
_CHOICE = LocalText({"en": "`!persona NAME` chooses who answers:", "zh": "发送 `!persona 名称` 选择角色："})
_NO_SUCH = LocalText({"en": "There is no persona `{name}`; there are:", "zh": "没有名为 `{name}` 的角色；可选："})
_ENTRY = LocalText({"en": "- `{name}`: {title}. {what}", "zh": "- `{name}`：{title}。{what}"})
_FACTS = LocalText({"en": "I have noted:", "zh": "我记下了："})
_SUMMARY = LocalText({"en": "In short, earlier we said:", "zh": "此前对话的摘要："})
_NOTHING = LocalText(
    {"en": "I have noted nothing beyond the messages here.", "zh": "除了这里的消息，我没有另外记下什么。"}
)
_FACT = LocalText({"en": "- {name}: {value}", "zh": "- {name}：{value}"})
_UNTIL = LocalText(
    {
        "en": "Each message is deleted {days} days after its answer, and what rests on it; if nothing more is said, "
        "all of this is gone after {date}. `!forget` deletes it now.",
        "zh": "每条消息在答复 {days} 天后删除，依据它记下的内容也一并删除；如果不再聊，{date} 之后全部清空。"
        "发送 `!forget` 可立即删除。",
    }
)
_FOREVER = LocalText({"en": "It is kept until you send `!forget`.", "zh": "内容会一直保留，直到您发送 `!forget`。"})

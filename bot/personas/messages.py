"""Every fault a persona file can have: its code and its sentence in English and Chinese. Codes are stable."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh"]
Severity = Literal["error", "note"]

_NOTES = frozenset({"not-active", "more-faults"})

_SENTENCES: Mapping[str, tuple[str, str]] = {
    # the file
    "no-such-path": ("there is no such file or folder", "没有这个文件或文件夹"),
    "unreadable": ("cannot be read: {reason}", "无法读取：{reason}"),
    "too-big": (
        "the file has {size} bytes but at most {limit} are read: move long material into a knowledge folder",
        "文件有 {size} 字节，最多 {limit} 字节：请把长资料放进知识文件夹",
    ),
    "not-utf8": (
        "byte 0x{byte} is not UTF-8: save the file as UTF-8",
        "字节 0x{byte} 不是 UTF-8：请用 UTF-8 编码保存文件",
    ),
    "control-character": (
        "character U+{number} cannot be printed and is not allowed: delete it",
        "不允许不可打印的字符 U+{number}：请删除它",
    ),
    "tab": ("tabs are not allowed: use spaces", "不允许制表符（Tab）：请改用空格"),
    "line-too-long": (
        "the line has {size} characters but at most {limit} are read: break it into several",
        "这一行有 {size} 个字符，最多 {limit} 个：请分成几行",
    ),
    "empty": (
        "the file is empty: `parley init` writes a persona to start from",
        "文件是空的：可以用 `parley init` 生成一个范例",
    ),
    "same-name": (
        '"{name}" is already read from {other}: this file is left out',
        "“{name}”已从 {other} 读入，忽略此文件",
    ),
    "more-faults": ("{count} more faults in this file are not shown", "此文件还有 {count} 处错误没有列出"),
    # the YAML
    "syntax": ("not valid YAML: {detail}", "YAML 语法有误：{detail}"),
    "syntax.colon": (
        'a ":" cannot stand here: put a text that contains ": " in quotes',
        "此处不能出现冒号：含有“: ”的文字请加引号",
    ),
    "syntax.quote": ("the quote that opens here is never closed", "这里的引号没有闭合"),
    "syntax.no-colon": ('a ":" is missing after this key', "这个键后面缺少冒号“:”"),
    "syntax.indent": (
        "this does not belong to what begins in line {line}: check the indentation",
        "与第 {line} 行开始的内容不相接：请检查缩进",
    ),
    "syntax.open": (
        'a comma is missing here, or the closing bracket of the "{bracket}" in line {line}',
        "此处缺少逗号，或第 {line} 行的“{bracket}”没有闭合",
    ),
    "syntax.start": (
        "a value cannot begin with {character}: put it in quotes",
        "值不能以 {character} 开头：请加引号",
    ),
    "syntax.escape": (
        "unknown escape in a quoted text: write \\\\ for a backslash, or use single quotes",
        "引号内有未知的转义：反斜杠写作 \\\\，或改用单引号",
    ),
    "syntax.block": (
        "after | or > the text begins on the next line",
        "| 或 > 之后的文字要另起一行",
    ),
    "syntax.content": ("a value is missing here", "此处缺少值"),
    "syntax.list": ('a "- " cannot stand here: lists begin on their own line', "此处不能出现“- ”：列表要另起一行"),
    "duplicate-key": (
        'key "{key}" stands here a second time; the first is in line {line}',
        "键“{key}”重复出现，前一个在第 {line} 行",
    ),
    "bad-key": ("a key must be plain text", "键必须是普通文字"),
    "alias": (
        "anchors (&) and aliases (*) are not allowed: write the value out, or put the text in quotes",
        "不允许锚点（&）和别名（*）：请直接写出内容，或给文字加引号",
    ),
    "tag": (
        "tags (!) are not allowed: delete it, or put the text in quotes",
        "不允许标签（!）：请删除它，或给文字加引号",
    ),
    "directive": ("directives (%) are not allowed: delete the line", "不允许指令（%）：请删除这一行"),
    "several-documents": (
        "a second document begins here: one file holds one persona",
        "这里开始了第二个文档：一个文件只放一个角色",
    ),
    "too-deep": ("nested more than {limit} deep", "嵌套超过 {limit} 层"),
    "too-complex": (
        "the file has too many values, words or lines to be read: move long material into a knowledge folder",
        "文件里的值、词或行太多，无法读取：请把长资料放进知识文件夹",
    ),
    # the keys and their values
    "unknown-key": ('unknown key "{key}" in "{parent}"{hint}', "“{parent}”中有未知的键“{key}”{hint}"),
    "unknown-key.top": ('unknown key "{key}"{hint}', "未知的键“{key}”{hint}"),
    "missing-key": ('key "{key}" is missing in "{parent}"', "“{parent}”缺少键“{key}”"),
    "missing-key.top": ('key "{key}" is missing', "缺少键“{key}”"),
    "wrong-type": ('"{key}" must be {expected}, not {found}', "“{key}”应为{expected}，而不是{found}"),
    "wrong-type.quote": (
        '"{key}" must be {expected}, not {found}: put it in quotes',
        "“{key}”应为{expected}，而不是{found}：请加引号",
    ),
    "no-value": (
        '"{key}" has no value: write one or delete the key (a "#" begins a comment: put such a value in quotes)',
        "“{key}”没有值：请写上或删除这个键（“#”之后是注释：这样的值请加引号）",
    ),
    "wrong-type.top": ("the file must be {expected}, not {found}", "文件内容应为{expected}，而不是{found}"),
    "bad-choice": (
        '"{key}" must be one of {choices}, not "{found}"{hint}',
        "“{key}”应为 {choices} 之一，而不是“{found}”{hint}",
    ),
    "bad-choice.only": ('"{key}" must be {choices}, not "{found}"', "“{key}”应为 {choices}，而不是“{found}”"),
    "out-of-range": ('"{key}" must be {bound}, not {found}', "“{key}”应{bound}，而不是 {found}"),
    "empty-text": ('"{key}" is empty', "“{key}”是空的"),
    "too-long": (
        '"{key}" has {size} characters but at most {limit} are allowed',
        "“{key}”有 {size} 个字符，最多 {limit} 个",
    ),
    "too-many": ('"{key}" has {size} entries but at most {limit} are allowed', "“{key}”有 {size} 项，最多 {limit} 项"),
    "too-few": ('"{key}" must have at least one entry', "“{key}”至少要有一项"),
    "bad-name": (
        '"{found}" is no name (lower-case letters, digits and hyphens, beginning with a letter, at most 64){hint}',
        "“{found}”不能作名字（只用小写字母、数字和连字符，以字母开头，最多 64 个）{hint}",
    ),
    "bad-language": (
        '"{found}" is no language tag such as en or zh-CN{hint}',
        "“{found}”不是 en、zh-CN 这样的语言标签{hint}",
    ),
    "bad-color": ('"{found}" is no color: write for example "#0f766e"', '“{found}”不是颜色：请写成 "#0f766e" 之类'),
    "bad-cron": (
        '"{found}" is no time plan: write minute, hour (0-23), day, month and weekday (0-7), such as "0 9 * * 1-5"',
        '“{found}”不是时间计划：请依次写出分、时（0-23）、日、月和星期（0-7），例如 "0 9 * * 1-5"',
    ),
    "bad-timezone": (
        '"{found}" is no time zone: write a name such as Europe/Berlin or Asia/Shanghai{hint}',
        "“{found}”不是时区：请写 Europe/Berlin、Asia/Shanghai 这样的名字{hint}",
    ),
    "bad-place": (
        '"{found}" is no place: write channel:room, for example "slack:C0123SUPPORT"',
        '“{found}”不是发送位置：请写成 channel:room，例如 "slack:C0123SUPPORT"',
    ),
    "repeated": ('"{found}" stands twice in "{key}"', "“{key}”中“{found}”重复"),
    # what belongs together
    "wrong-name": (
        'the name is "{found}" but the file is {file}: they must be the same{hint}',
        "名字是“{found}”，文件却是 {file}：两者必须一致{hint}",
    ),
    "bad-placeholder": ("unknown placeholder {found}{hint}", "未知的占位符 {found}{hint}"),
    "bad-placeholder.open": ("the placeholder that opens here is not closed with }}", "这里的占位符没有用 }} 闭合"),
    "placeholder-place": (
        'placeholders are filled in only in "instructions", not in "{key}"',
        "占位符只在“instructions”中有效，在“{key}”中无效",
    ),
    "missing-path": (
        '"{found}" does not exist beside this file{hint}',
        "此文件旁边没有“{found}”{hint}",
    ),
    "outside-path": (
        '"{found}" leads out of the folder of this file: only paths inside it are read',
        "“{found}”超出了此文件所在的文件夹：只读取其中的路径",
    ),
    "missing-disclaimer": (
        'the policy "health" shows a disclaimer with every answer: write it in "widget.disclaimer"',
        "health 策略要求每个回答都附上声明：请写在“widget.disclaimer”中",
    ),
    "needs-knowledge": (
        '"grounded: require" answers only from documents: name some in "knowledge"',
        "“grounded: require”只根据文档回答：请在“knowledge”中指明文档",
    ),
    "not-active": (
        '"{key}" is not active yet and has no effect{hint}',
        "“{key}”尚未启用，不起作用{hint}",
    ),
    # pieces of the sentences above
    "hint.near": (': did you mean "{near}"?', "：是不是想写“{near}”？"),
    "hint.belongs": (': it belongs in "{near}"', "：它应放在“{near}”中"),
    "bound.least": ("at least {limit}", "不小于 {limit}"),
    "bound.most": ("at most {limit}", "不大于 {limit}"),
    "bound.more": ("more than {limit}", "大于 {limit}"),
    "bound.finite": ("a finite number", "为有限的数"),
    "type.text": ("text", "文字"),
    "type.texts": ("text or a mapping of languages to texts", "文字，或“语言: 文字”的映射"),
    "type.whole": ("a whole number", "整数"),
    "type.number": ("a number", "数"),
    "type.switch": ("true or false", "true 或 false"),
    "type.list": ("a list", "列表"),
    "type.mapping": ("a mapping of keys to values", "键值映射"),
    "type.this-number": ("the number {value}", "数 {value}"),
    "type.this-switch": ("{value}", "{value}"),
}


def sentence(key: str, language: Language, /, **fields: object) -> str:
    """The sentence under `key` (a code, or code.variant) with its fields filled in."""
    text = _SENTENCES[key][0 if language == "en" else 1]
    for name, value in fields.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def severity_of(code: str) -> Severity:
    return "note" if code in _NOTES else "error"

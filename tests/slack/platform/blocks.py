"""Block Kit's limits, checked as Slack checks them before it takes a message or a view."""

from collections.abc import Iterator
from typing import Any

from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Json

IN_MESSAGES = {
    "actions", "alert", "call", "card", "carousel", "context", "context_actions", "divider", "file", "header", "image",
    "markdown", "plan", "rich_text", "section", "table", "task_card", "video",
}  # fmt: skip
IN_VIEWS = IN_MESSAGES | {"input"} - {"markdown"}
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARS = 13_000
MARKDOWN_CHARS = 12_000
ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
FIELDS = {"block_id": 255, "action_id": 255, "alt_text": 2000, "callback_id": 255, "private_metadata": 3000}


def check_blocks(blocks: Any, *, known: set[str] = IN_MESSAGES, most: int = MESSAGE_BLOCKS) -> list[Json]:
    """The blocks, if Slack takes them. Raises `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long`."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) and "type" in block for block in blocks):
        raise SlackError("invalid_blocks_format")
    problems = [f"[ERROR] no more than {most} items allowed [json-pointer:/blocks]"] if len(blocks) > most else []
    problems += [f"[ERROR] {problem} [json-pointer:/blocks]" for block in blocks for problem in _problems(block, known)]
    ids = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(ids) != len(set(ids)):
        problems.append("[ERROR] block_id values must be unique [json-pointer:/blocks]")
    if problems:
        raise SlackError("invalid_blocks", *problems)
    markdown = sum(len(block.get("text", "")) for block in blocks if block["type"] == "markdown")
    if known is IN_MESSAGES and (markdown > MARKDOWN_CHARS or sum(len(text) for text in texts(blocks)) > MESSAGE_CHARS):
        raise SlackError("msg_blocks_too_long")
    return blocks


def check_view(view: Any) -> Json:
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        raise SlackError("invalid_arguments", "[ERROR] unsupported type [json-pointer:/view/type]")
    problems = [
        f"[ERROR] must be less than 25 characters [json-pointer:/view/{name}/text]"
        for name in ("title", "submit", "close")
        if len((view.get(name) or {}).get("text", "")) > 24
    ]
    if view["type"] == "modal" and not view.get("title"):
        problems.append("[ERROR] missing required field: title [json-pointer:/view]")
    problems += [f"[ERROR] {name} is too long" for name in FIELDS if len(str(view.get(name) or "")) > FIELDS[name]]
    try:
        check_blocks(view.get("blocks"), known=IN_VIEWS, most=VIEW_BLOCKS)
    except SlackError as refused:
        problems += refused.details or (f"[ERROR] {refused.name}",)
    inputs = any(block.get("type") == "input" for block in view.get("blocks") or [])
    if view["type"] == "modal" and inputs and not view.get("submit"):
        problems.append("[ERROR] submit is required when an input block is present [json-pointer:/view]")
    if problems:
        raise SlackError("invalid_arguments", *problems)
    return view


def texts(value: Any) -> Iterator[str]:
    """Every text that people read in these blocks."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in {"text", "title"} and isinstance(inner, str):
                yield inner
            else:
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each interactive element with the block it stands in."""
    for block in blocks:
        inner = [block.get("accessory"), block.get("element"), *(block.get("elements") or [])]
        for element in inner:
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def _problems(block: Json, known: set[str]) -> Iterator[str]:
    kind = block["type"]
    if kind not in known:
        yield f"unsupported type: {kind}"
        return
    if kind == "section":
        yield from _section_problems(block)
    if kind == "header":
        yield from _text_problems(block.get("text"), most=150)
    if kind == "image" and not block.get("alt_text"):
        yield "missing required field: alt_text"
    if kind in ELEMENTS:
        inner = block.get("elements")
        if not isinstance(inner, list) or not inner:
            yield "missing required field: elements"
        elif len(inner) > ELEMENTS[kind]:
            yield f"no more than {ELEMENTS[kind]} items allowed"
    yield from _long_fields(block)
    for _, element in elements([block]):
        yield from _element_problems(element)


def _section_problems(block: Json) -> Iterator[str]:
    fields = block.get("fields") or []
    if block.get("text") is None and not fields:
        yield "missing required field: text"
    if block.get("text") is not None:
        yield from _text_problems(block["text"], most=3000)
    if len(fields) > 10:
        yield "no more than 10 items allowed"
    for field in fields:
        yield from _text_problems(field, most=2000)


def _element_problems(element: Json) -> Iterator[str]:
    yield from _long_fields(element)
    if element.get("type") == "button":
        yield from _text_problems(element.get("text"), most=75)
    if len(str(element.get("value") or "")) > 2000:
        yield "value must be less than 2001 characters"
    options = element.get("options") or []
    if len(options) > (5 if element.get("type") == "overflow" else 100):
        yield "too many options"
    for option in options:
        yield from _text_problems(option.get("text"), most=75)
        if len(option.get("value", "")) > 150:
            yield "option value must be less than 151 characters"
    for name in ("positive_button", "negative_button"):
        if element.get("type") == "feedback_buttons":
            button = element.get(name)
            yield from _text_problems(button.get("text") if isinstance(button, dict) else None, most=75)


def _text_problems(text: Any, *, most: int) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in {"plain_text", "mrkdwn"} or not text.get("text"):
        yield "missing or empty text object"
    elif len(text["text"]) > most:
        yield f"must be less than {most + 1} characters"


def _long_fields(thing: Json) -> Iterator[str]:
    for name, most in FIELDS.items():
        if len(str(thing.get(name) or "")) > most:
            yield f"{name} must be less than {most + 1} characters"

"""What the schema finds wrong, told at its place with the nearest right word."""

import re
from collections.abc import Mapping
from typing import Any, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.personas.positions import Node
from bot.personas.problems import Problems
from bot.personas.schema import PersonaFile
from bot.personas.values import MANY, ONE

_EXPECTED = {
    "string_type": "type.text",
    "string_unicode": "type.text",
    "union_tag_not_found": "type.texts",
    "int_type": "type.whole",
    "float_type": "type.number",
    "bool_type": "type.switch",
    "tuple_type": "type.list",
    "dict_type": "type.mapping",
    "model_type": "type.mapping",
}
_BOUNDS = {
    "greater_than_equal": ("bound.least", "ge"),
    "less_than_equal": ("bound.most", "le"),
    "greater_than": ("bound.more", "gt"),
    "finite_number": ("bound.finite", ""),
}


def tell(error: ValidationError, root: Node, problems: Problems) -> None:
    """Add what pydantic found to `problems`; places already known to be broken are left alone."""
    broken = problems.spots
    for detail in error.errors(include_url=False):
        path = [step for step in detail["loc"] if step not in (ONE, MANY, "[key]")]
        node = root.at(path)
        if node is None or node.spot not in broken:
            _tell_one(detail, path, root, problems)


def _tell_one(detail: ErrorDetails, path: list[int | str], root: Node, problems: Problems) -> None:
    kind = detail["type"]
    context = detail.get("ctx", {})
    found = detail["input"]
    key = _name(path)
    node = root.at(path) or root
    spot = root.key_spot(path) if kind == "extra_forbidden" or "[key]" in detail["loc"] else node.spot
    if kind == "extra_forbidden":
        _tell_unknown(path, root, problems)
    elif kind == "missing":
        around = root.at(path[:-1]) or root
        where = "missing-key" if len(path) > 1 else "missing-key.top"
        problems.add(where, around.spot, key=path[-1], parent=_name(path[:-1]))
    elif kind in _EXPECTED:
        expected = problems.say(_EXPECTED[kind])
        is_word = isinstance(found, int | float) and _EXPECTED[kind] in ("type.text", "type.texts")
        variant = "wrong-type.quote" if is_word else "wrong-type" if path else "wrong-type.top"
        problems.add(variant, spot, key=key, expected=expected, found=_describe(found, problems))
    elif kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(context["expected"]))
        if isinstance(found, str):
            hint = problems.near(found, choices)
            variant = "bad-choice" if len(choices) > 1 else "bad-choice.only"
            problems.add(variant, spot, key=key, choices=", ".join(choices), found=found, hint=hint)
        else:
            expected = problems.say("type.text")
            problems.add("wrong-type.quote", spot, key=key, expected=expected, found=_describe(found, problems))
    elif kind in _BOUNDS:
        bound, limit = _BOUNDS[kind]
        problems.add(
            "out-of-range", spot, key=key, bound=problems.say(bound, limit=f"{context.get(limit, 0):g}"), found=found
        )
    elif kind in ("string_too_long", "too_long"):
        code = "too-long" if kind == "string_too_long" else "too-many"
        problems.add(code, spot, key=key, size=len(found), limit=context["max_length"])
    elif kind in ("too_short", "no_entry"):
        problems.add("too-few", spot, key=key)
    elif kind == "repeated":
        problems.add("repeated", spot, key=key, found=context["value"])
    else:
        hint = _rewritten(kind, str(found), problems)
        problems.add(kind.replace("_", "-"), spot, key=key, found=found, hint=hint)


def _tell_unknown(path: list[int | str], root: Node, problems: Problems) -> None:
    word = str(path[-1])
    hint = problems.near(word, _keys(path[:-1]))
    if not hint:
        homes = [home for home, keys in _homes().items() if word in keys]
        hint = problems.say("hint.belongs", near=homes[0]) if homes else ""
    where = "unknown-key" if len(path) > 1 else "unknown-key.top"
    problems.add(where, root.key_spot(path), key=word, parent=_name(path[:-1]), hint=hint)


def _rewritten(kind: str, found: str, problems: Problems) -> str:
    """The hint at what was meant: `My Bot` → my-bot, `zh_CN` → zh-CN."""
    better = re.sub(r"[\s_]+", "-", found.strip())
    if kind == "bad_timezone":
        return problems.near(found, sorted(available_timezones()))
    if kind == "bad_name":
        better = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9-]", "", better.lower())).strip("-0123456789")
    elif kind == "bad_language" and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})+", better):
        return ""
    return problems.say("hint.near", near=better) if better and better != found else ""


def _name(path: list[int | str]) -> str:
    """`starters[0].label` of the path; empty for the top."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _describe(found: Any, problems: Problems) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return problems.say("type.this-number", value=found)
    if isinstance(found, tuple):
        return problems.say("type.list")
    return problems.say("type.mapping" if isinstance(found, dict) else "type.text")


def _keys(path: list[int | str]) -> list[str]:
    """The keys that may stand in the mapping at `path`."""
    model: type[BaseModel] = PersonaFile
    for step in path:
        if isinstance(step, str):
            found = _model_of(model.model_fields[step].annotation)
            if found is None:
                return []
            model = found
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model`, `Model | None` or `tuple[Model, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_of(part))), None)


def _homes() -> Mapping[str, list[str]]:
    """The keys of each part, by the part's key."""
    return {
        name: list(model.model_fields)
        for name, field in PersonaFile.model_fields.items()
        if (model := _model_of(field.annotation))
    }

"""The kinds of values a persona file holds: names, texts in several languages, colors, paths.

Each raises its own code of the message catalogue and describes itself in JSON Schema.
"""

import re
from datetime import UTC
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from bot.cron import Cron as Plan
from bot.cron import local_zone

NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
NAME_LENGTH = 64
_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
_COLOR = r"#[0-9A-Fa-f]{6}"
_CRON = r"[0-9A-Za-z*/,\-]+( +[0-9A-Za-z*/,\-?#]+){4}"
_PLACE = r"[a-z][a-z0-9]*(:[^\s:]+){1,3}"

ONE = "<one>"
MANY = "<many>"


def _written_as(pattern: str, code: Literal["bad_name", "bad_language", "bad_color", "bad_place"]) -> Any:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError(code, "does not match")
        return text

    return AfterValidator(check)


def _comes(text: str) -> str:
    try:
        Plan(text, UTC)
    except ValueError as error:
        raise PydanticCustomError("bad_cron", "never comes") from error
    return text


def _on_earth(name: str) -> str:
    try:
        local_zone(name)
    except ValueError as error:
        raise PydanticCustomError("bad_timezone", "unknown") from error
    return name


def _filled(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("empty_text", "empty")
    return text


def _unlike(values: tuple[str, ...]) -> tuple[str, ...]:
    for number, value in enumerate(values):
        if value in values[:number]:
            raise PydanticCustomError("repeated", "repeated", {"value": value})
    return values


def _one_or_many(value: object) -> str | None:
    return ONE if isinstance(value, str) else MANY if isinstance(value, dict) else None


def _has_entry(texts: dict[str, str]) -> dict[str, str]:
    if not texts:
        raise PydanticCustomError("no_entry", "no entry")
    return texts


def _schema(**keywords: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **keywords})


Text = Annotated[str, AfterValidator(_filled), _schema(pattern=r"\S")]
Line = Annotated[
    str, StringConstraints(max_length=1000), AfterValidator(_filled), _schema(pattern=r"\S", maxLength=1000)
]
Name = Annotated[
    str,
    StringConstraints(max_length=NAME_LENGTH),
    _written_as(NAME, "bad_name"),
    _schema(pattern=f"^{NAME}$", maxLength=NAME_LENGTH),
]
Language = Annotated[str, _written_as(_LANGUAGE, "bad_language"), _schema(pattern=f"^{_LANGUAGE}$")]
Color = Annotated[str, _written_as(_COLOR, "bad_color"), _schema(pattern=f"^{_COLOR}$")]
Cron = Annotated[
    str, StringConstraints(max_length=200), AfterValidator(_comes), _schema(pattern=f"^{_CRON}$", maxLength=200)
]
Place = Annotated[str, _written_as(_PLACE, "bad_place"), _schema(pattern=f"^{_PLACE}$")]
Zone = Annotated[str, AfterValidator(_on_earth), _schema(minLength=1)]
Texts = Annotated[
    Annotated[Text, Tag(ONE)] | Annotated[dict[Language, Text], AfterValidator(_has_entry), Tag(MANY)],
    Discriminator(_one_or_many),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"\S"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": f"^{_LANGUAGE}$"},
                    "additionalProperties": {"type": "string", "pattern": r"\S"},
                },
            ]
        }
    ),
]
Languages = Annotated[
    tuple[Language, ...], Field(min_length=1), AfterValidator(_unlike), Field(json_schema_extra={"uniqueItems": True})
]

"""The JSON Schema of a persona file, made from the models, so that editors complete and check while typing."""

from typing import Any, Literal

from bot.personas.schema import PersonaFile

Draft = Literal["draft-07", "2020-12"]

_DIALECTS = {
    "draft-07": "http://json-schema.org/draft-07/schema#",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}


def persona_schema(draft: Draft = "draft-07") -> dict[str, Any]:
    """The schema of `parley.persona/v1` as a JSON value. Draft 7 is what the editors' YAML plugins know best."""
    schema = _plain(PersonaFile.model_json_schema())
    schema = {"$schema": _DIALECTS[draft], "title": "Parley persona", **schema}
    return _as_draft_07(schema) if draft == "draft-07" else schema


def _plain(value: Any, *, names: bool = False) -> Any:
    """Without generated titles, and without null: a key stands with a value or not at all.

    `names` says that the keys of `value` are names of the persona file, not words of JSON Schema.
    """
    if isinstance(value, list):
        return [_plain(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    if not names:
        value = {key: item for key, item in value.items() if key != "title" and (key, item) != ("default", None)}
        choices = value.get("anyOf", [])
        if len(choices) == 2 and {"type": "null"} in choices:
            (only,) = (choice for choice in choices if choice != {"type": "null"})
            value = {**{key: item for key, item in value.items() if key != "anyOf"}, **only}
    return {key: _plain(item, names=not names and key in ("properties", "$defs")) for key, item in value.items()}


def _as_draft_07(value: Any) -> Any:
    """Draft 7 calls `$defs` definitions and ignores what stands beside a `$ref`."""
    if isinstance(value, list):
        return [_as_draft_07(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {("definitions" if key == "$defs" else key): _as_draft_07(item) for key, item in value.items()}
    reference = renamed.get("$ref")
    if isinstance(reference, str):
        renamed["$ref"] = reference.replace("#/$defs/", "#/definitions/")
        if len(renamed) > 1:
            renamed = {**{k: v for k, v in renamed.items() if k != "$ref"}, "allOf": [{"$ref": renamed["$ref"]}]}
    return renamed

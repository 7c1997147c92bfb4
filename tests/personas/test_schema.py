"""The JSON Schema agrees with the reader."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from bot.personas import persona_schema
from bot.personas.catalog import BUILTIN
from bot.personas.jsonschema import Draft
from tests.personas.house import HEAD, read
from tests.personas.test_example import EXAMPLE

DRAFTS: tuple[Draft, ...] = ("draft-07", "2020-12")

REFUSED = [
    "titel: Acme\n",
    "model: {temprature: 0.2}\n",
    "model: {temperature: 3}\n",
    "model: {top_k: true}\n",
    "title: 5\n",
    "greeting: {zh_CN: 您好}\n",
    "greeting: {}\n",
    "greeting: ''\n",
    "greeting:\n",
    "widget: {accent: }\n",
    "languages: []\n",
    "languages: [en, en]\n",
    "overlap: merg\n",
    "starters:\n" + "  - {label: a, prompt: b}\n" * 7,
    "starters: [{label: a}]\n",
    "widget: {accent: teal}\n",
    "handoff: {to: nowhere, when: [a]}\n",
    "schedule: [{cron: daily, prompt: a, to: 'slack:C1'}]\n",
    "guardrails: {mask: [iban]}\n",
    "checks: [{user: a, expect: {max_words: 0}}]\n",
    "memory: {history_tokens: -1}\n",
]


def load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def validator(draft: Draft) -> Any:
    kinds = {"draft-07": jsonschema_rs.Draft7Validator, "2020-12": jsonschema_rs.Draft202012Validator}
    schema = persona_schema(draft)
    jsonschema_rs.meta.validate(schema)
    return kinds[draft](schema)


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_schema_takes_what_the_reader_takes(draft: Draft) -> None:
    valid = validator(draft)
    for text in (HEAD, EXAMPLE, *(path.read_text(encoding="utf-8") for path in BUILTIN.glob("*.yaml"))):
        assert [error.message for error in valid.iter_errors(load(text))] == []


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize("text", REFUSED)
def test_the_schema_refuses_what_the_reader_refuses(draft: Draft, text: str, tmp_path: Path) -> None:
    assert read(tmp_path, HEAD + text).persona is None
    assert not validator(draft).is_valid(load(HEAD + text))


def test_required_keys_are_required() -> None:
    for line in HEAD.splitlines(keepends=True):
        assert not validator("draft-07").is_valid(load(HEAD.replace(line, "")))


def keys_of(schema: Any, name: str) -> list[tuple[str, Any]]:
    return [
        *schema["properties"].items(),
        *(pair for part in schema[name].values() for pair in part["properties"].items()),
    ]


def test_an_editor_finds_a_description_for_every_key_at_the_top() -> None:
    schema = persona_schema("draft-07")
    for key, value in schema["properties"].items():
        target = value["allOf"][0]["$ref"] if "allOf" in value else value.get("$ref")
        part = schema["definitions"][target.rpartition("/")[2]] if target else {}
        assert value.get("description") or part.get("description"), key
    assert "title" in schema["properties"]


def test_draft_7_holds_no_word_of_later_drafts() -> None:
    text = str(persona_schema("draft-07"))
    assert "$defs" not in text
    assert persona_schema("2020-12")["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert persona_schema()["$schema"] == "http://json-schema.org/draft-07/schema#"
    for _, value in keys_of(persona_schema("draft-07"), "definitions"):
        assert "$ref" not in value or set(value) == {"$ref"}

"""The texts of the built-in personas: the same facts in both languages; the benchmarks' questions are fair."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.tokens import AliasToken, AnchorToken

ROOT = Path(__file__).parents[2]
BUILTIN = ROOT / "bot" / "personas" / "builtin"
BENCHMARKS = ROOT / "tests" / "benchmarks"
NAMES = ["support", "tutor", "health", "storyteller", "writer"]
LANGUAGES = {"en", "zh-CN"}
FOLDERS = {"en": "en", "zh-CN": "zh"}
HAN = re.compile(r"[\u4e00-\u9fff]")
NUMBER = re.compile(r"\d+(?:[.:/]\d+)*")

each_persona = pytest.mark.parametrize("name", NAMES)
each_collection = pytest.mark.parametrize("collection", ["held_back", "rehearsal"])


def load(path: Path) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    return yaml.load(path.read_text(encoding="utf-8"))


def persona(name: str) -> dict[str, Any]:
    data = load(BUILTIN / f"{name}.yaml")
    assert isinstance(data, dict)
    return data


def entries(path: Path) -> list[str]:
    """The text of each section, question/answer pair or row of a knowledge file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text.split("\n## ")[1:]
    if path.suffix == ".yaml":
        return [f"{pair['question']}\n{pair['answer']}" for pair in load(path)]
    return [f"{row['question']}\n{row['answer']}" for row in csv.DictReader(io.StringIO(text))]


def knowledge(name: str, folder: str) -> list[Path]:
    return sorted((BUILTIN / "kb" / name / folder).iterdir())


def texts_by_language(value: Any) -> Iterator[dict[str, str]]:
    """Every {language: text} mapping below `value`."""
    if isinstance(value, dict):
        if LANGUAGES & set(value):
            yield value
        for child in value.values():
            yield from texts_by_language(child)
    elif isinstance(value, list):
        for child in value:
            yield from texts_by_language(child)


def answers(text: str, expect: dict[str, list[str]]) -> bool:
    """Whether a text holds what a benchmark question expects of its answer."""
    wanted, refused = expect.get("any", []), expect.get("none", [])
    return (
        all(part in text for part in expect.get("all", []))
        and (not wanted or any(part in text for part in wanted))
        and not any(part in text for part in refused)
    )


def asked(name: str, collection: str) -> list[dict[str, Any]]:
    questions = load(BENCHMARKS / collection / f"{name}.yaml")
    assert isinstance(questions, list)
    return questions


@each_persona
def test_the_file_is_named_for_its_persona_and_has_neither_tabs_nor_aliases(name: str) -> None:
    path = BUILTIN / f"{name}.yaml"
    source = path.read_text(encoding="utf-8")
    assert persona(name)["name"] == name
    assert persona(name)["schema"] == "parley.persona/v1"
    assert "\t" not in source
    assert not [t for t in YAML(typ="safe", pure=True).scan(source) if isinstance(t, AliasToken | AnchorToken)]


@each_persona
def test_every_visible_text_stands_in_both_languages(name: str) -> None:
    data = persona(name)
    assert data["languages"] == ["en", "zh-CN"]
    visible = [data["title"], data["greeting"], data["instructions"]]
    visible += [data["answering"]["when_unsure"], data["widget"]["disclaimer"]]
    visible += [text for starter in data["starters"] for text in (starter["label"], starter["prompt"])]
    assert all(isinstance(text, dict) for text in visible)
    for text in texts_by_language(data):
        assert set(text) == LANGUAGES
        assert HAN.search(text["zh-CN"])
        assert text["en"].strip()
        assert not HAN.search(text["en"])


@each_persona
def test_the_instructions_are_short_enough_for_a_small_context(name: str) -> None:
    instructions = persona(name)["instructions"]
    assert len(instructions["en"].split()) <= 45
    assert len(HAN.findall(instructions["zh-CN"])) <= 70


@each_persona
def test_three_or_four_starters_are_offered(name: str) -> None:
    assert 3 <= len(persona(name)["starters"]) <= 4


@each_persona
def test_each_knowledge_folder_holds_the_same_files_and_entries_in_both_languages(name: str) -> None:
    sources = persona(name)["knowledge"]
    assert [source["source"] for source in sources] == [f"kb/{name}"]
    english, chinese = knowledge(name, "en"), knowledge(name, "zh")
    assert [path.name for path in english] == [path.name for path in chinese]
    sizes = [len(entries(path)) for path in english]
    assert sizes == [len(entries(path)) for path in chinese]
    assert sum(sizes) >= 15
    assert len({path.suffix for path in english}) >= 2


@each_persona
def test_chinese_entries_are_chinese_and_english_ones_are_not(name: str) -> None:
    for path in knowledge(name, "en"):
        assert not HAN.search(path.read_text(encoding="utf-8")), path
    for path in knowledge(name, "zh"):
        assert all(HAN.search(entry) for entry in entries(path)), path


@pytest.mark.parametrize("name", ["support", "tutor", "health"])
def test_both_languages_state_the_same_numbers(name: str) -> None:
    for english, chinese in zip(knowledge(name, "en"), knowledge(name, "zh"), strict=True):
        for en, zh in zip(entries(english), entries(chinese), strict=True):
            assert set(NUMBER.findall(en)) == set(NUMBER.findall(zh)), (en, zh)


@each_persona
def test_question_and_answer_files_have_unique_questions_and_no_empty_answers(name: str) -> None:
    for folder in FOLDERS.values():
        questions: list[str] = []
        for path in knowledge(name, folder):
            if path.suffix == ".yaml":
                for pair in load(path):
                    assert set(pair) <= {"question", "also", "answer"}
                    assert pair["answer"].strip()
                    questions += [pair["question"], *pair.get("also", [])]
            elif path.suffix == ".csv":
                rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")), strict=True))
                assert all(set(row) == {"question", "answer"} and row["answer"].strip() for row in rows)
                questions += [row["question"] for row in rows]
        assert len(questions) == len(set(questions))


@each_persona
@each_collection
def test_a_collection_has_questions_of_each_language_and_few_of_them_unanswerable(name: str, collection: str) -> None:
    for language in LANGUAGES:
        questions = [q for q in asked(name, collection) if q["language"] == language]
        assert len(questions) == 10 if collection == "held_back" else len(questions) >= 6
        assert 1 <= sum(q["expect"] == {"unsure": True} for q in questions) <= len(questions) / 4


@each_persona
@each_collection
def test_the_expected_answer_stands_in_one_entry_of_the_file_a_question_names(name: str, collection: str) -> None:
    for question in asked(name, collection):
        expect = question["expect"]
        if expect == {"unsure": True}:
            assert "source" not in question
            continue
        assert set(question) == {"question", "language", "expect", "source"}
        assert set(expect) <= {"all", "any", "none"}
        assert f"/{FOLDERS[question['language']]}/" in question["source"]
        assert any(answers(entry, expect) for entry in entries(BUILTIN / question["source"])), question["question"]


@each_persona
def test_held_back_questions_stand_nowhere_else(name: str) -> None:
    seen = (BUILTIN / f"{name}.yaml").read_text(encoding="utf-8")
    seen += "".join(path.read_text(encoding="utf-8") for folder in FOLDERS.values() for path in knowledge(name, folder))
    seen += "".join(question["question"] for question in asked(name, "rehearsal"))
    for question in asked(name, "held_back"):
        assert question["question"] not in seen

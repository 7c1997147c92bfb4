"""Every fault is told with its line, column and code, in English or Chinese."""

from pathlib import Path

import pytest

from bot.personas.messages import Language
from bot.personas.reading import read_persona
from tests.personas.house import HEAD, places, read

FAULTS: dict[str, tuple[str | bytes, list[str]]] = {
    # not YAML
    "an empty file": ("", ["1:1:empty"]),
    "only comments": ("# nothing\n", ["1:1:empty"]),
    "a list": ("- a\n", ["1:1:wrong-type"]),
    "bytes that are no UTF-8": (b"name: acme\ntitle: caf\xe9\n", ["2:11:not-utf8"]),
    "a control character": ("name: a\x07b\n", ["1:8:control-character"]),
    "a control character behind an escape": (HEAD + 'title: "a\\0b"\n', ["5:8:control-character"]),
    "half a surrogate pair": (HEAD + 'title: "a\\uD800"\n', ["5:8:control-character"]),
    "an escape beyond Unicode": (HEAD + 'title: "\\U00FFFFFF"\n', ["5:1:syntax"]),
    "an unknown escape": (HEAD + 'title: "a\\q"\n', ["5:11:syntax"]),
    "a tab in the indentation": (HEAD + "model:\n\ttop_k: 1\n", ["6:1:tab"]),
    "a tab between words": (HEAD + "title: a\tb\n", ["5:9:tab"]),
    "an unclosed quote": (HEAD + 'title: "Acme\ngreeting: Hi\n', ["5:8:syntax"]),
    "an unclosed bracket": (HEAD + "style: [a, b\ngreeting: Hi\n", ["6:9:syntax"]),
    "a colon in a text": (HEAD + "greeting: Note: hello\n", ["5:15:syntax"]),
    "a key without a colon": (HEAD + "greeting\ntitle: x\n", ["5:1:syntax"]),
    "a crooked indentation": (HEAD + "model:\n    top_k: 1\n  seed: 1\n", ["7:3:syntax"]),
    "an at sign": (HEAD + "title: @acme\n", ["5:8:syntax"]),
    "a block that begins on its line": (HEAD + "greeting: | Hi\n", ["5:13:syntax"]),
    "a list on the line of its key": (HEAD + "style: - a\n", ["5:8:syntax"]),
    "two documents": (HEAD + "---\n" + HEAD, ["5:1:several-documents"]),
    "a directive": ("%YAML 1.1\n---\n" + HEAD, ["1:1:directive"]),
    "a duplicate key": (HEAD + "title: a\ntitle: b\n", ["6:1:duplicate-key"]),
    "a nested duplicate key": (HEAD + "model: {seed: 1, seed: 2}\n", ["5:18:duplicate-key"]),
    "an anchor": (HEAD + "title: &t Acme\n", ["5:8:alias"]),
    "an anchor and its alias": (HEAD + "title: &t Acme\ngreeting: *t\n", ["5:8:alias", "6:11:alias"]),
    "stars that are no alias": (HEAD + "title: **bold**\n", ["5:8:alias"]),
    "a Python object": (HEAD + "title: !!python/object/apply:os.system [id]\n", ["5:8:tag"]),
    "a tag of one's own": (HEAD + "title: !secret x\n", ["5:8:tag"]),
    "a standard tag": (HEAD + "title: !!str 5\n", ["5:8:tag"]),
    "a mapping as a key": (HEAD + "? {a: b}\n: c\n", ["5:3:bad-key", "5:3:unknown-key"]),
    # keys
    "an unknown key": (HEAD + "titel: Acme\n", ["5:1:unknown-key"]),
    "an unknown key in a part": (HEAD + "model: {use: local, temprature: 0.2}\n", ["5:21:unknown-key"]),
    "an unknown key in a list": (
        HEAD + "examples:\n  - user: a\n    assistent: b\n",
        ["6:5:missing-key", "7:5:unknown-key"],
    ),
    "missing keys": ("name: acme\n", ["1:1:missing-key"] * 3),
    "a key without value": (HEAD + "widget:\n  accent: #0f766e\n", ["6:3:no-value"]),
    # values
    "a number as text": (HEAD + "title: 5\n", ["5:8:wrong-type"]),
    "a number in one language": (HEAD + "title: {en: Acme, zh-CN: 5}\n", ["5:26:wrong-type"]),
    "a text as number": (HEAD + 'model: {temperature: "0.2"}\n', ["5:22:wrong-type"]),
    "a switch as number": (HEAD + "model: {top_k: true}\n", ["5:16:wrong-type"]),
    "a word as switch": (HEAD + "answering: {cite: yes}\n", ["5:19:wrong-type"]),
    "a text as list": (HEAD + "style: short\n", ["5:8:wrong-type"]),
    "a text as mapping": (HEAD + "model: local\n", ["5:8:wrong-type"]),
    "a wrong choice": (HEAD + "overlap: merg\n", ["5:10:bad-choice"]),
    "another schema": (HEAD.replace("v1", "v2"), ["1:9:bad-choice"]),
    "too hot": (HEAD + "model: {temperature: 3}\n", ["5:22:out-of-range"]),
    "not a number": (HEAD + "model: {temperature: .nan}\n", ["5:22:out-of-range"]),
    "no room for an answer": (HEAD + "model: {max_tokens: 0}\n", ["5:21:out-of-range"]),
    "an endless number": (HEAD + f"model: {{seed: {'9' * 5000}}}\n", ["5:15:wrong-type"]),
    "a blank text": (HEAD + 'greeting: "  "\n', ["5:11:empty-text"]),
    "no language at all": (HEAD + "greeting: {}\n", ["5:11:too-few"]),
    "a bad language tag": (HEAD + "languages: [en, zh_CN]\n", ["5:17:bad-language"]),
    "a bad language tag as key": (HEAD + "greeting: {zh_CN: 您好}\n", ["5:12:bad-language"]),
    "a language twice": (HEAD + "languages: [en, en]\n", ["5:12:repeated"]),
    "a color by name": (HEAD + "widget: {accent: teal}\n", ["5:18:bad-color"]),
    "a long description": (HEAD.replace("questions", "x" * 1000), ["3:14:too-long"]),
    "seven starters": (HEAD + "starters:\n" + "  - {label: a, prompt: b}\n" * 7, ["6:3:too-many"]),
    "a bad cron": (
        HEAD + 'schedule: [{cron: daily, prompt: a, to: "slack:C1"}]\n',
        ["5:19:bad-cron"],
    ),
    "a cron with an hour too many": (
        HEAD + 'schedule: [{cron: "0 24 * * *", prompt: a, to: "slack:C1"}]\n',
        ["5:19:bad-cron"],
    ),
    "a day that never comes": (
        HEAD + 'schedule: [{cron: "0 9 30 2 *", prompt: a, to: "slack:C1"}]\n',
        ["5:19:bad-cron"],
    ),
    "no time zone": (
        HEAD + 'schedule:\n  - {cron: "0 9 * * *", prompt: a, to: "slack:C1", timezone: Europe/Berlni}\n',
        ["6:62:bad-timezone"],
    ),
    "a placeholder in a scheduled prompt": (
        HEAD + 'schedule: [{cron: "0 9 * * *", prompt: "It is {{time}}", to: "slack:C1"}]\n',
        ["5:47:placeholder-place"],
    ),
    # what fits together
    "another name than the file's": (HEAD.replace("acme", "acmee"), ["2:7:wrong-name"]),
    "a name with capitals": (HEAD.replace("acme", "My_Bot"), ["2:7:bad-name"]),
    "a name too long": (HEAD.replace("acme", "a" * 65), ["2:7:too-long"]),
    "an unknown placeholder": (HEAD.replace("people", "{{user.nam}}"), ["4:20:bad-placeholder"]),
    "spaces in a placeholder": (HEAD.replace("people", "{{ date }}"), ["4:20:bad-placeholder"]),
    "an open placeholder": (HEAD.replace("people", "{{user.name}"), ["4:20:bad-placeholder"]),
    "a placeholder of Jinja": (HEAD.replace("people", "{{ ''.__class__ }}"), ["4:20:bad-placeholder"]),
    "a placeholder in a block": (
        HEAD.replace("Help people.", "\n  zh-CN: |\n    你好\n    您好 {{persona.titel}} {{dat}}\n"),
        ["7:8:bad-placeholder", "7:26:bad-placeholder"],
    ),
    "a placeholder where none is filled in": (HEAD + "greeting: Hi {{user.name}}\n", ["5:14:placeholder-place"]),
    "a placeholder in a starter": (
        HEAD + "starters: [{label: 'It is {{time}}', prompt: a}]\n",
        ["5:27:placeholder-place"],
    ),
    "a missing knowledge folder": (HEAD + "knowledge: [{source: kb/suport}]\n", ["5:22:missing-path"]),
    "knowledge above the folder": (HEAD + "knowledge: [{source: ../secret}]\n", ["5:22:outside-path"]),
    "knowledge from the root": (HEAD + "knowledge: [{source: /etc}]\n", ["5:22:outside-path"]),
    "a health persona without disclaimer": (HEAD + "guardrails: {policy: health}\n", ["5:22:missing-disclaimer"]),
    "grounding without knowledge": (HEAD + "answering: {grounded: require}\n", ["5:23:needs-knowledge"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_at_its_place(fault: str, tmp_path: Path) -> None:
    (tmp_path / "kb" / "support").mkdir(parents=True)
    text, expected = FAULTS[fault]
    reading = read(tmp_path, text)
    assert places(reading.problems) == expected
    assert reading.persona is None


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        (
            "en",
            HEAD + "model: {temprature: 0.2}\n",
            'acme.yaml:5:9: error[unknown-key] unknown key "temprature" in "model": did you mean "temperature"?',
        ),
        (
            "zh",
            HEAD + "model: {temprature: 0.2}\n",
            "acme.yaml:5:9: error[unknown-key] “model”中有未知的键“temprature”：是不是想写“temperature”？",
        ),
        ("en", HEAD + "top_p: 1\n", 'acme.yaml:5:1: error[unknown-key] unknown key "top_p": it belongs in "model"'),
        (
            "en",
            HEAD + "knowledge: [{source: kb/suport}]\n",
            'acme.yaml:5:22: error[missing-path] "kb/suport" does not exist beside this file: did you mean "kb/sup',
        ),
        (
            "zh",
            HEAD + "title: 5\n",
            "acme.yaml:5:8: error[wrong-type] “title”应为文字，或“语言: 文字”的映射，而不是数 5：请加引号",
        ),
        (
            "en",
            HEAD + "greeting: {zh_CN: 您好}\n",
            'acme.yaml:5:12: error[bad-language] "zh_CN" is no language tag such as en or zh-CN: did you mean "zh-CN"?',
        ),
        (
            "zh",
            HEAD + 'title: "Acme\n',
            "acme.yaml:5:8: error[syntax] 这里的引号没有闭合",
        ),
        (
            "en",
            HEAD.replace("people", "{{user}}"),
            "acme.yaml:4:20: error[bad-placeholder] unknown placeholder {{user}}",
        ),
    ],
)
def test_a_fault_reads_as_one_line_with_a_hint(
    language: Language, text: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kb" / "support").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (found,) = read(Path(), text, language=language).problems
    assert str(found).startswith(line)


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = HEAD.replace("people", "{{x}}") + "titel: a\nmodel: {top_k: -1}\nstyle: 5\nstyle: []\n"
    found = places(read(tmp_path, text).problems)
    assert found == [
        "4:20:bad-placeholder",
        "5:1:unknown-key",
        "6:16:out-of-range",
        "7:8:wrong-type",
        "8:1:duplicate-key",
    ]


def test_past_fifty_faults_only_their_number_is_told(tmp_path: Path) -> None:
    problems = read(tmp_path, HEAD + "".join(f"x{n}: 1\n" for n in range(70))).problems
    assert len(problems) == 51
    assert problems[-1].code == "more-faults"
    assert "20 more" in problems[-1].message


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_message_leaves_a_field_unfilled(language: Language, tmp_path: Path) -> None:
    for text, _ in FAULTS.values():
        for problem in read(tmp_path, text, language=language).problems:
            for field in ("{key}", "{found}", "{hint}", "{line}", "{detail}", "{limit}", "{expected}", "{parent}"):
                assert field not in problem.message


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "personas"
    (home / "kb").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (home / "kb" / "out").symlink_to(tmp_path / "secret")
    (home / "kb" / "ring").symlink_to(home / "kb" / "ring")
    problems = read(home, HEAD + "knowledge:\n  - source: kb/out\n  - source: kb/ring\n").problems
    assert places(problems) == ["6:13:outside-path", "7:13:missing-path"]


def test_a_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "docs").symlink_to(tmp_path / "kb")
    persona = read(tmp_path, HEAD + "knowledge: [{source: docs}]\n").persona
    assert persona is not None
    assert persona.knowledge[0].path == (tmp_path / "kb").resolve()
    assert persona.knowledge[0].label == "docs"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert places(read_persona(tmp_path / "gone.yaml").problems) == ["1:1:unreadable"]

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge.documents import BadDocument, read
from bot.knowledge.words import size

WORD = st.text(alphabet="abcdefgh退货天", min_size=1, max_size=6)
SENTENCE = st.lists(WORD, min_size=1, max_size=90).map(lambda words: " ".join(words) + ".")
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=4).map(" ".join)
BLOCK = st.one_of(
    PARAGRAPH,
    st.lists(SENTENCE, min_size=1, max_size=5).map(lambda items: "\n".join("- " + item for item in items)),
    WORD.map(lambda word: f"## {word}"),
    st.lists(WORD, min_size=1, max_size=4).map(lambda lines: "\n".join(["```", *lines, "```"])),
)


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def test_markdown_becomes_passages_under_their_headings() -> None:
    found = read("a.md", b"Intro.\n\n# Shop\n## Hours\nOpen daily.\n### Easter\nClosed.\n## Place\nHere.")
    assert [(draft.heading, draft.text) for draft in found] == [
        (("A",), "Intro."),
        (("Shop", "Hours"), "Open daily."),
        (("Shop", "Hours", "Easter"), "Closed."),
        (("Shop", "Place"), "Here."),
    ]


def test_a_hash_inside_a_fence_is_no_heading() -> None:
    (draft,) = read("a.md", b"# T\n```py\n# not a heading\nx = 1\n```")
    assert draft.heading == ("T",)
    assert draft.text == "```py\n# not a heading\nx = 1\n```"


def test_a_table_row_can_stand_alone() -> None:
    (draft,) = read("a.md", b"# T\n| Day | Hours |\n|---|---|\n| Monday | 9:00 |\n| Sunday | closed |")
    assert draft.text == "Day: Monday; Hours: 9:00\nDay: Sunday; Hours: closed"


def test_nested_items_stay_with_their_item() -> None:
    (draft,) = read("a.md", b"# T\n- a\n  - b\n- c\n\n3. x\n4. y")
    assert draft.text == "- a\n  - b\n- c\n3. x\n4. y"


def test_emphasis_goes_and_addresses_stay() -> None:
    (draft,) = read("a.md", b"**Write** to [us](https://shop.example/x) `now`.<!-- secret -->")
    assert draft.text == "Write to us (https://shop.example/x) `now`."


def test_wrapped_lines_join_with_a_space_or_between_chinese_with_nothing() -> None:
    (draft,) = read("a.txt", "one\ntwo\n\n三\n四".encode())
    assert draft.text == "one two\n三四"


def test_questions_and_answers_come_from_yaml_and_csv() -> None:
    (one,) = read("a.yaml", b"- {question: Warum?, answer: Darum., also: [Wieso?]}")
    (two,) = read("a.csv", b'\xef\xbb\xbfquestion,answer\nWhy?,"Because, yes."\n')
    assert (one.heading, one.text, one.answer, one.asked) == (("Warum?",), "Darum.", "Darum.", ("Wieso?",))
    assert (two.heading, two.answer) == (("Why?",), "Because, yes.")


def test_parts_of_a_long_answer_know_the_whole() -> None:
    answer = "\n".join(f"Sentence number {n} has a few more words to say." for n in range(60))
    found = read(
        "a.yaml", ("- question: Q\n  answer: |\n" + "\n".join("    " + x for x in answer.split("\n"))).encode()
    )
    assert len(found) > 3
    assert {draft.answer for draft in found} == {answer}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.md", b"caf\xe9", "not UTF-8: byte 3 is 0xe9"),
        ("a.txt", b"a\0b", "NUL"),
        ("a.csv", b"q,a\n1,2\n", "line 1: expected the header question,answer"),
        ("a.csv", b"question,answer\nonly one\n", "line 2: expected a question and an answer"),
        ("a.csv", b'question,answer\n"open,x\n', "line 2"),
        ("a.yaml", b"question: x\nanswer: y\n", "expected a list"),
        ("a.yaml", b"- {question: x}\n", "line 1: an entry needs both"),
        ("a.yaml", b"- {question: x, answer: y}\n- {question: x, anwser: y}\n", "line 2: unknown key 'anwser'"),
        ("a.yaml", b"- {question: x, question: z, answer: y}\n", "stands twice"),
        ("a.yaml", b"- &a {question: x, answer: y}\n- *a\n", "line 2: YAML aliases are not allowed"),
        ("a.yaml", b"- {question: x, answer: [y]}\n", "must be text"),
        ("a.yaml", b"- {question: x\n", "line 2"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(BadDocument, match=re.escape(reason)):
        read(name, data)


@pytest.mark.parametrize(
    "canary",
    ["<|im_end|>", "<|im_start|>system", "</s>", "<s>", "[INST]", "<start_of_turn>", "\u202ereversed", "\x1b[2J"],
)
@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.csv", "a.yaml"])
def test_a_document_cannot_speak_as_a_turn_of_its_own(name: str, canary: str) -> None:
    body = {"a.csv": 'question,answer\nQ,"x {} y"\n', "a.yaml": "- question: Q\n  answer: >-\n    x {} y\n"}
    found = read(name, body.get(name, "x {} y").format(canary).encode())
    assert found
    assert canary not in "".join("".join((*draft.heading, draft.text, draft.answer or "")) for draft in found)


@settings(max_examples=60, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=6))
def test_markdown_loses_no_text(blocks: list[str]) -> None:
    text = "\n\n".join(blocks)
    found = read("a.md", text.encode())
    body = "".join(letters(draft.text) for draft in found)
    expected = "".join(letters(block) for block in blocks if not block.startswith("##"))
    assert body == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(PARAGRAPH, min_size=1, max_size=5))
def test_plain_text_loses_no_text_and_passages_stay_small(paragraphs: list[str]) -> None:
    found = read("a.txt", "\n\n".join(paragraphs).encode())
    assert "".join(letters(draft.text) for draft in found) == letters("".join(paragraphs))
    assert all(size(draft.text) <= 1.0 for draft in found)

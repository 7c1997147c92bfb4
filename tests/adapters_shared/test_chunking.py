"""Pieces of a long text: none too long, none blank, nothing lost, and closed ones never change."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.shared.chunking import Pieces, split, utf16_length

FAMILY, FLAG, COMBINED, HANGUL = "👨‍👩‍👧‍👦", "🇨🇳", "e\u0301\u0323", "\u1112\u1161\u11ab"
FRAGMENTS = [
    "word ", "重点内容，", "一句话。", "Really? ", "\n", "\n\n", "  \n", "    ", "- item\n", "1. first\n",
    "1. again\n", "  - nested\n", "## Heading\n", "```python\n", "```\n", "~~~\n", "   ```js\n",
    "> ", "> ```\n", "`code here`", "``", "**bold text**", "[a label](https://example.org/a_b?c=d)",
    "[open", "](", ")", "https://example.org/long/path", "| a | b |\n", "|---|---|\n",
    "| 一 | 二 |\n", FAMILY, FLAG, COMBINED, HANGUL, "\ufe0f", "\u200d", "\r\n", "\u3000", "x" * 60,
    "好" * 60,
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=60).map("".join)
limits = st.integers(100, 300)
lengths = st.sampled_from([len, utf16_length])


def bare(text: str) -> str:
    """Without white space and what may close a code block."""
    return "".join(character for character in text if not (character.isspace() or character in "`~>"))


@given(texts, limits, lengths)
def test_every_piece_keeps_to_the_limit_and_is_not_blank(text: str, limit: int, length: object) -> None:
    assert callable(length)
    for piece in split(text, limit=limit, length=length):
        assert length(piece) <= limit
        assert piece.strip()


@given(texts, limits)
def test_no_character_is_lost_or_doubled(text: str, limit: int) -> None:
    pieces = Pieces(limit=limit)
    pieces.set(text)
    at = 0
    for part in pieces.parts:
        found = text.index(part.body, at)
        assert bare(text[at:found]) == ""
        at = found + len(part.body)
    assert bare(text[at:]) == ""


@given(texts, limits)
def test_white_space_is_left_out_only_where_the_text_is_cut(text: str, limit: int) -> None:
    parts = Pieces(limit=limit)
    parts.set(text)
    assert bare("".join(part.body for part in parts.parts)) == bare(text)
    assert all(part.body in text for part in parts.parts)


@given(texts, limits, st.data())
def test_closed_pieces_never_change_and_the_steps_do_not_matter(text: str, limit: int, data: st.DataObject) -> None:
    growing = Pieces(limit=limit)
    closed: list[str] = []
    at = 0
    while at < len(text):
        step = data.draw(st.integers(1, 80))
        shown = growing.add(text[at : at + step])
        at += step
        assert shown[: len(closed)] == closed
        closed = shown[: growing.closed]
    assert growing.set(text) == split(text, limit=limit)


@given(texts, limits)
def test_no_grapheme_cluster_is_cut(text: str, limit: int) -> None:
    pieces = Pieces(limit=limit)
    pieces.set(text)
    starts = {found.start() for found in regex.finditer(r"\X", text)} | {len(text)}
    longest = max((len(found[0]) for found in regex.finditer(r"\X", text)), default=0)
    at = 0
    for part in pieces.parts:
        at = text.index(part.body, at)
        trimmed = at + len(part.body)
        # "\r\n" is one cluster, and its end is white space that is left out
        assert longest > limit // 3 or at in starts or text[at - 1 : at + 1] == "\r\n"
        assert longest > limit // 3 or trimmed in starts or text[trimmed : trimmed + 1] in "\r\n"
        at = trimmed


@given(st.lists(st.sampled_from([FAMILY, FLAG, COMBINED, HANGUL, "👍🏽", "1️⃣"]), min_size=60, max_size=200))
def test_an_endless_row_of_emoji_is_cut_only_between_them(emoji: list[str]) -> None:
    for piece in split("".join(emoji), limit=100, length=utf16_length):
        assert set(regex.findall(r"\X", piece)) <= {"".join(one) for one in regex.findall(r"\X", "".join(emoji))}


@given(
    st.text("abc 好的。", max_size=150),
    st.text("label标签 ", min_size=1, max_size=40),
    st.text("abc 好。", max_size=150),
)
def test_a_link_shorter_than_the_limit_is_never_cut(before: str, label: str, after: str) -> None:
    link = f"[{label}](https://example.org/{'x' * 30})"
    assert any(link in piece for piece in split(before + link + after, limit=100))


@given(texts, limits)
def test_no_piece_leaves_a_fence_open(text: str, limit: int) -> None:
    markdown = MarkdownIt("commonmark").disable(["code", "html_block", "reference", "lheading"])
    for piece in split(text + "\n", limit=limit):
        last = markdown.parse(piece + "\n\nafterwards")[-2]
        assert last.content == "afterwards"


def test_a_code_block_cut_in_two_is_closed_and_opened_again_with_its_language() -> None:
    code = "\n".join(f"print({number})  # 打印" for number in range(30))
    pieces = split(f"看代码：\n\n```python\n{code}\n```\n\n就这样。", limit=200)
    assert len(pieces) > 2
    assert pieces[0].endswith("\n```")
    assert all(piece.startswith("```python\nprint(") for piece in pieces[1:])
    assert all(piece.count("```") == 2 for piece in pieces)


def test_an_end_of_code_that_falls_on_a_cut_leaves_no_empty_block() -> None:
    for width in range(60, 130):
        for piece in split(f"```py\n{'x' * width}\n{'y' * 40}\n```\nafter", limit=150):
            assert "```py\n```" not in piece
            assert "```py\n\n```" not in piece


def test_a_table_cut_in_two_repeats_its_header() -> None:
    head = "| 名字 | 数量 |\n|---|---|\n"
    pieces = split(head + "".join(f"| 苹果{number} | {number} |\n" for number in range(40)), limit=150)
    assert len(pieces) > 2
    assert all(piece.startswith(head) and piece.count("|---|") == 1 for piece in pieces)


def test_a_list_numbered_with_ones_goes_on_with_its_number() -> None:
    pieces = split("".join(f"1. item {number} and some words\n" for number in range(1, 13)), limit=120)
    for piece in pieces:
        assert regex.match(r"(\d+)\. item (\d+)", piece)
        number, item = regex.match(r"(\d+)\. item (\d+)", piece).groups()
        assert number == item


def test_numbers_that_are_written_out_stay() -> None:
    text = "".join(f"{number}. item and some words\n" for number in range(1, 13))
    assert "\n".join(split(text, limit=120)) == text.rstrip()


def test_a_blank_line_is_preferred_to_a_line_to_a_sentence_to_a_space() -> None:
    a, b = "a" * 60, "b" * 30
    assert split(f"{a}\n\n{b}\n{b}", limit=110)[0] == a
    assert split(f"{a}\n{b}。{b}", limit=110)[0] == a
    assert split(f"{a}。{b} {b}", limit=110)[0] == a + "。"
    assert split(f"{a} {b}{b}", limit=110)[0] == a
    assert split(a + b + b, limit=110)[0] == a + b + "b" * 20


def test_a_heading_stays_with_what_it_heads() -> None:
    pieces = split(f"{'word ' * 12}\n\n## 标题\n\n{'x' * 80}", limit=110)
    assert pieces[1].startswith("## 标题")


def test_a_blank_text_has_no_pieces() -> None:
    assert split(" \n\n\t\u3000", limit=100) == []


def test_a_text_that_is_replaced_begins_anew() -> None:
    pieces = Pieces(limit=100)
    pieces.set("a" * 250)
    assert pieces.closed == 2
    assert pieces.set("other") == ["other"]
    assert pieces.closed == 0


def test_a_limit_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="99"):
        Pieces(limit=99)


def test_an_emoji_is_two_utf16_units() -> None:
    assert utf16_length("好👍") == 3


def test_a_length_that_does_not_only_grow_is_kept_to() -> None:
    def rendered(text: str) -> int:
        return len(text) + 40 * (text.count("[") - text.count("]"))

    assert all(rendered(piece) <= 100 for piece in split("words [ and more ] " * 40, limit=100, length=rendered))


def test_the_end_added_to_code_counts_too() -> None:
    for width in range(70, 110):
        assert all(len(piece) <= 100 for piece in split(f"```\n{'x' * width}", limit=100))


def test_an_indentation_too_wide_for_a_piece_is_left_out() -> None:
    assert split(f"{'a' * 90}\n{' ' * 90}{'b' * 50}", limit=100) == ["a" * 90, "b" * 50]


def test_a_space_with_an_accent_is_no_place_to_cut() -> None:
    assert not any(piece.startswith("\u0301") for piece in split("word \u0301" * 60, limit=100))
    assert "".join(split("word \u0301" * 60, limit=100)).count("\u0301") == 60


@pytest.mark.parametrize(
    "whole", ["[标签](https://example.org/path)", "`code of some length`", "https://example.org/a/b/c"]
)
def test_what_is_better_whole_is_not_cut_even_where_no_space_is_near(whole: str) -> None:
    for width in range(60, 101):
        assert any(whole in piece for piece in split("字" * width + whole + "字" * 50, limit=100))

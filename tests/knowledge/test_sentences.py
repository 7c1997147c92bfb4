from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge.sentences import Splitter, sentences

TEXT = st.text(alphabet=st.sampled_from('ab1 .!?\n"”)。！，天x-*…e.g'), max_size=80)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("It costs 3.50 euros. Pay by card.", ["It costs 3.50 euros.", " Pay by card."]),
        ("Dr. Smith came, e.g. by car. He left.", ["Dr. Smith came, e.g. by car.", " He left."]),
        ("We close at 5 p.m. Come early.", ["We close at 5 p.m.", " Come early."]),
        ("J. R. Smith is here.", ["J. R. Smith is here."]),
        ("See No. 5 below. Done.", ["See No. 5 below.", " Done."]),
        ("1. First\n2. Second item. Third?", ["1. First\n", "2. Second item.", " Third?"]),
        ('He said "Go!" Then he left.', ['He said "Go!"', " Then he left."]),
        ("Write to help.desk@shop.example now.", ["Write to help.desk@shop.example now."]),
        ("请保留“包装！”谢谢？价格3.5元。好", ["请保留“包装！”", "谢谢？", "价格3.5元。", "好"]),
        ("Wait... what? No!", ["Wait... what?", " No!"]),
    ],
)
def test_a_text_is_cut_where_a_reader_pauses(text: str, pieces: list[str]) -> None:
    assert sentences(text) == pieces


@settings(max_examples=150, deadline=None)
@given(TEXT)
def test_sentences_join_to_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text


@settings(max_examples=150, deadline=None)
@given(TEXT, st.lists(st.integers(0, 80), max_size=6))
def test_chunks_make_no_difference(text: str, cuts: list[int]) -> None:
    splitter = Splitter()
    found: list[str] = []
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    for start, end in pairwise(edges):
        found += splitter.feed(text[start:end])
    rest = splitter.rest()
    assert [*found, *([rest] if rest else [])] == sentences(text)


def test_a_sentence_without_end_is_cut_at_a_pause() -> None:
    pieces = sentences("word " * 500)
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 500


def test_hostile_text_is_cut_in_linear_time() -> None:
    for text in ("." * 100_000, "a" * 100_000, " " * 100_000, "。" * 100_000):
        pieces = sentences(text)
        assert "".join(pieces) == text
        assert max(map(len, pieces)) <= 800

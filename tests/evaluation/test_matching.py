import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation.matching import answer_part, exact, f1, tokens

TEXTS = st.text(alphabet="ab 你好12.,;!the", max_size=30)


@given(TEXTS, TEXTS)
def test_f1_is_a_share_and_does_not_mind_the_order_of_its_arguments(one: str, other: str) -> None:
    assert 0.0 <= f1(one, other) <= 1.0
    assert f1(one, other) == pytest.approx(f1(other, one))


@given(TEXTS)
def test_an_answer_is_exactly_itself(text: str) -> None:
    assert exact(text, text)
    assert f1(text, text) == 1.0


@given(TEXTS, TEXTS)
def test_an_exact_answer_has_an_f1_of_one(one: str, other: str) -> None:
    if exact(one, other):
        assert f1(one, other) == 1.0


@given(st.lists(st.sampled_from(["red", "lamp", "三", "天", "24"]), min_size=1, max_size=8))
def test_f1_counts_words_whatever_their_order(words: list[str]) -> None:
    turned = list(reversed(words))
    assert f1(" ".join(words), " ".join(turned)) == 1.0


def test_f1_is_squad_s() -> None:
    """Of three words said and four wanted two agree: 2 · (2/3 · 2/4) / (2/3 + 2/4) = 4/7."""
    assert f1("blue lamp broke", "blue lamp costs nothing") == pytest.approx(4 / 7)


def test_case_articles_and_marks_do_not_count_but_digits_do() -> None:
    assert exact("The lamp costs $5.50!", "a lamp costs 5.50")
    assert not exact("5.50", "550")
    assert not exact("24 months", "42 months")
    assert exact("“保修24个月。”", "保修２４个月")


def test_chinese_is_compared_by_the_character() -> None:
    assert tokens("保修24个月") == ["保", "修", "24", "个", "月"]
    assert f1("保修两年", "保修三年") == pytest.approx(0.75)


def test_lines_below_the_answer_are_no_part_of_it() -> None:
    assert answer_part("Rest.\nThis is no medical advice.", "Rest.") == "Rest."
    assert answer_part("One.\nTwo.\nThree.", "One.\nTwo.") == "One.\nTwo."

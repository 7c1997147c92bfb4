"""What a persona remembers of what a person writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.facts import facts_in

NUMBER = ("order_number",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my order number is 12345", "12345"),
        ("order number: 12345", "12345"),
        ("Order Number 12345 please", "12345"),
        ("The order_number is A-77.", "A-77"),
        ("Hi! order no. #A-77, when will it come?", "A-77"),
        ("order #12345", "12345"),
        ("My order number’s 2024/11-7b", "2024/11-7b"),
        ("order number is 12,345", "12,345"),
        ("My order number is not 12345 but 67890", "67890"),
        ("my order number is 67890, not 12345", "67890"),
        ("order number 12345. Sorry, my order number is actually 67890.", "67890"),
        ("my order number is 123，谢谢", "123"),
    ],
)
def test_a_number_is_remembered_however_it_is_said(text: str, value: str) -> None:
    assert facts_in(NUMBER, text) == {"order_number": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("订单号是 A-77", "A-77"),
        ("我的订单号：12345，请查一下", "12345"),
        ("订单号12345什么时候到", "12345"),
        ("订单号为A-77。", "A-77"),
        ("订单号不是 A-77，是 A-78", "A-78"),
        ("不好意思，订单号应该是 A-79", "A-79"),
        ("订单号是 1。订单号改成 2", "2"),
    ],
)
def test_a_chinese_name_is_understood_likewise(text: str, value: str) -> None:
    assert facts_in(("订单号",), text) == {"订单号": value}


@pytest.mark.parametrize(
    "text",
    [
        "What is my order number?",
        "my order number is wrong",
        "my order number is not 12345",
        "I have lost my order number and want 2 new lamps",
        "reorder number 5",
        "preorder numbers 12",
        "12345",
        "",
    ],
)
def test_what_gives_no_value_is_not_remembered(text: str) -> None:
    assert facts_in(NUMBER, text) == {}


def test_chinese_questions_give_no_value() -> None:
    assert facts_in(("订单号", "城市"), "我的订单号是什么？我的城市是哪里？") == {}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("name", "My name is Ann Lee and I need help", "Ann Lee"),
        ("name", "my name is ann.", "ann"),
        ("city", "My city is New York, what about yours?", "New York"),
        ("address", "address: 12 Main Street\nthanks", "12 Main Street"),
        ("email", "my email is ann.lee+shop@example.com, ok?", "ann.lee+shop@example.com"),
        ("phone number", "My phone number is +49 170 1234567.", "+49 170 1234567"),
        ("城市", "我的城市是北京，想问天气", "北京"),
        ("名字", "我的名字叫王芳", "王芳"),
    ],
)
def test_words_are_remembered_up_to_where_the_sentence_goes_on(name: str, text: str, value: str) -> None:
    assert facts_in((name,), text) == {name: value}


def test_only_the_persona_s_facts_are_remembered() -> None:
    assert facts_in((), "my order number is 12345") == {}
    assert facts_in(("城市",), "my order number is 12345") == {}


PIECES = st.sampled_from(
    [
        *("order number", "订单号", "name", " is ", " not ", "是", "不是", "：", ": ", "#", "A-77", "12345", " but "),
        *("，", "Ann ", "王芳", "\n", ".", "'s ", " "),
    ]
)


@given(pieces=st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=16))
def test_a_value_is_never_anything_the_person_did_not_write(pieces: list[str]) -> None:
    text = "".join(pieces)
    for value in facts_in(("order_number", "订单号", "name", "城市", "[a-z]+"), text).values():
        assert value in text
        assert 0 < len(value) <= 64
        assert value.isprintable()
        assert value == value.strip()


@given(name=st.text(max_size=20), text=st.text(max_size=60))
def test_any_name_is_taken_as_it_is_written(name: str, text: str) -> None:
    for value in facts_in((name,), f"{name} is {text}").values():
        assert value in text


def test_a_long_message_takes_no_long_time() -> None:
    for unit in (
        "order number ",
        "order number is not 1 ",
        "A1-",
        "name is a b c d e f ",
        "订单号不是",
        "my name is" + " " * 50,
    ):
        facts_in(("order_number", "name", "订单号"), unit * 4_000)

"""What tells who people are goes, what the shop itself says stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ratings.masking import Mask


def mask(*names: str, public: str = "") -> Mask:
    return Mask(names=names, public=public)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to ann.lee+shop@mail.example.com.", "Write to [email]."),
        ("我的邮箱是ann@example.com，谢谢", "我的邮箱是[email]，谢谢"),
        ("Call +49 30 901820 please", "Call [phone] please"),
        ("my number is (212) 555-2368!", "my number is [phone]!"),
        ("我的电话是13812345678。", "我的电话是[phone]。"),
        ("card 4111 1111 1111 1111, exp 12/29", "card [card], exp 12/29"),
        ("卡号4111-1111-1111-1111", "卡号[card]"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        (
            "Order 4711 of 2026-01-15 cost 1,299.00 for 24 months",
            "Order 4711 of 2026-01-15 cost 1,299.00 for 24 months",
        ),
    ],
)
def test_addresses_phones_and_cards_are_masked_and_other_numbers_stay(text: str, masked: str) -> None:
    assert mask()(text) == masked


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        ("Ann Lee", "I am Ann Lee, ann to friends; Lee's lamp", "I am [name], [name] to friends; [name]'s lamp"),
        ("ann", "Anniversary plans for Ann", "Anniversary plans for [name]"),
        ("王小明", "我叫王小明，想退货", "我叫[name]，想退货"),
        ("Will Stone", "Will you tell Stone what I will do?", "[name] you tell [name] what I will do?"),
        ("the_cat", "the cat of the_cat", "the cat of [name]"),
        ("a", "a lamp", "a lamp"),
        ("", "a lamp", "a lamp"),
    ],
)
def test_names_of_those_who_wrote_are_masked_and_everyday_words_stay(name: str, text: str, masked: str) -> None:
    assert mask(name)(text) == masked


def test_the_same_item_has_the_same_mask_in_all_texts_of_a_chat() -> None:
    one = mask("Ann", "Ben")
    assert one("ann@example.com or ben@example.com") == "[email] or [email 2]"
    assert one("BEN@example.com, +86 138 1234 5678, 13812345678") == "[email 2], [phone], [phone]"
    assert one("Ben and Ann") == "[name] and [name 2]"
    assert one.name("Ben") == "[name]"
    assert one.counts == {"email": 2, "phone": 1, "name": 2}


def test_numbers_and_addresses_of_the_shop_s_own_material_stay() -> None:
    public = "Call +49 30 901820 or write to help@shop.example. Test card 4111 1111 1111 1111. Shelf 13812345678."
    one = mask(public=public)
    for text in ("030 901820", "+49 (30) 901820", "help@shop.example", "4111111111111111", "13812345678"):
        assert one(f"It is {text}, I think.") == f"It is {text}, I think."
    assert one("mine is +49 30 901821") == "mine is [phone]"
    assert one.counts == {"phone": 1}


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_address_is_masked_wherever_it_stands(before: str, after: str) -> None:
    assert "ann.secret@example.com" not in mask()(f"{before} ann.secret@example.com {after}")

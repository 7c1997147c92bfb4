import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadKey
from bot.language import language_of
from bot.types import ConversationKey, LocalText, new_id

part = st.text(min_size=1, max_size=30)


@given(channel=part, tenant=part, room=part, thread=st.none() | part)
def test_every_conversation_key_survives_encoding(channel: str, tenant: str, room: str, thread: str | None) -> None:
    key = ConversationKey(channel=channel, tenant=tenant, room=room, thread=thread)
    assert ConversationKey.decode(key.encode()) == key


@given(first=st.tuples(part, part, part), second=st.tuples(part, part, part))
def test_different_keys_never_share_a_code(first: tuple[str, str, str], second: tuple[str, str, str]) -> None:
    one, two = (ConversationKey(channel=c, tenant=t, room=r) for c, t, r in (first, second))
    assert (one.encode() == two.encode()) == (one == two)


@pytest.mark.parametrize("text", ["", "slack", "a:b", "a:b:c:d:e", "::c"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        ConversationKey.decode(text)


def test_ids_are_unique_sort_by_age_and_fit_a_discord_nonce() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [i[:9] for i in ids] == sorted(i[:9] for i in ids)
    assert all(len(i) == 20 for i in ids)


def test_local_text_prefers_the_exact_tag_then_the_language_then_the_default() -> None:
    text = LocalText({"en": "Hi", "zh-CN": "你好"})
    assert text.pick("zh-CN") == text.pick("zh") == text.pick("zh_TW") == "你好"
    assert text.pick("fr") == text.pick(None) == "Hi"


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("How long is the warranty?", "zh-CN", "en"),
        ("保修多久？", "en", "zh-CN"),
        ("我的 iPhone 能退货吗", None, "zh-CN"),
        ("12345", "zh", "zh-CN"),
        ("12345", None, "en"),
    ],
)
def test_the_reply_s_language_follows_the_question_s_script(text: str, locale: str | None, expected: str) -> None:
    assert language_of(text, ("en", "zh-CN"), locale=locale) == expected

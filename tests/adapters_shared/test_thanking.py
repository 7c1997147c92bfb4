from adapters.shared.thanking import thanks
from bot.types import LocalText
from tests.core.parts import OnePersona, make_persona

WORDS = LocalText({"en": "Thanks.", "zh": "谢谢。"})
NOTICE = LocalText({"en": "It may train.", "zh": "可能用于训练。"})


def test_who_rates_is_thanked_and_told_what_it_may_be_used_for_in_their_language() -> None:
    personas = OnePersona(make_persona(rating_notice=NOTICE))
    said = thanks(WORDS, "helper", personas)
    assert said.pick("en-GB") == "Thanks. It may train."
    assert said.pick("zh-CN") == "谢谢。 可能用于训练。"


def test_only_thanks_are_said_where_it_is_used_for_nothing_or_the_persona_is_gone() -> None:
    assert thanks(WORDS, "helper", OnePersona()) == WORDS
    assert thanks(WORDS, "gone", OnePersona()) == WORDS

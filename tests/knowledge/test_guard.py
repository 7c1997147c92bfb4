import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import DegenerateAnswer, UnsupportedClaim
from bot.knowledge import Library
from bot.types import LocalText, Passage, Persona
from tests.knowledge.conftest import make_persona, passage

RETURN = passage(
    "You can return an item within 30 days of delivery. It must be unused and in its original box.", "Returns"
)
LAMPS = passage("The warranty on lamps is 24 months from the day of delivery. It does not cover bulbs.", "Lamps")
UMBRELLAS = passage("The warranty on umbrellas is 60 months, because we make them ourselves.", "Umbrellas", score=0.7)
BOTH = passage(
    "The warranty is 24 months on lamps and clocks, 60 months on umbrellas and 12 months on teapots.", "How long"
)
HOURS = passage(
    "The shop is open from Monday to Friday from 9:30 to 18:30 and on Saturday from 10:00 to 16:00. "
    "On Sundays and public holidays the shop is closed.",
    "Opening hours",
)
RETURN_ZH = passage("收到货后 30 天内可以退货。商品须未使用，并带原包装盒。", "退货期限")
LAMPS_ZH = passage("台灯的保修期是 24 个月，从送达当天算起。灯泡不在保修范围内。", "台灯的保修")
UMBRELLAS_ZH = passage("雨伞的保修期是 60 个月，因为雨伞是我们自己做的。", "雨伞的保修", score=0.7)

HOW_LONG = "How many days do I have to return an item?"
ON_LAMP = "How long is the warranty on a lamp?"
OPEN = "Are you open on Sunday?"
HOW_LONG_ZH = "收到货以后多少天内可以退货？"
ON_LAMP_ZH = "台灯的保修期是多久？"


def said(persona: Persona, question: str, passages: Sequence[Passage], pieces: Sequence[str]) -> str:
    guard = Library().guard(persona, question, passages)
    return "".join(guard.write(piece) for piece in pieces) + guard.finish()


@pytest.mark.parametrize(
    ("question", "passages", "answer"),
    [
        (HOW_LONG, [RETURN], "You can return an item within 30 days of delivery."),
        (
            HOW_LONG,
            [RETURN],
            "You have 30 days after delivery to return an item, if it is unused and in its original box.",
        ),
        (HOW_LONG, [RETURN], "Sure! You can return it within thirty days of delivery."),
        (HOW_LONG, [RETURN], "I am sorry to hear that! You can return an item within 30 days [1]."),
        (ON_LAMP, [LAMPS, UMBRELLAS], "Lamps come with a 24-month warranty, which starts on the day of delivery."),
        (ON_LAMP, [BOTH], "The warranty on a lamp is 24 months."),
        ("How long is the warranty on an umbrella?", [BOTH], "The warranty on umbrellas is 60 months."),
        (OPEN, [HOURS], "No, the shop is closed on Sundays and public holidays."),
        ("Are you open on Saturday?", [HOURS], "On Saturday the shop is open from 10 am to 4 pm."),
        (ON_LAMP, [LAMPS], "1. The warranty on lamps is **24 months**.\n2. It does not cover bulbs.\n"),
        (ON_LAMP, [LAMPS], "The warranty on lamps is 24 months. Which lamp did you buy?"),
        (HOW_LONG, [RETURN], "I could not find that. Write to help@shop.example."),
        (HOW_LONG_ZH, [RETURN_ZH], "您可以在收到货后三十天内退货，商品须未使用。"),
        (HOW_LONG_ZH, [RETURN_ZH], "好的，收到货后 ３０ 天内可以退货。"),
        (ON_LAMP_ZH, [LAMPS_ZH, UMBRELLAS_ZH], "台灯的保修期是24个月，从送达当天算起。"),
        (ON_LAMP_ZH, [LAMPS], "台灯的保修期是 24 个月。"),
    ],
)
def test_what_a_passage_supports_is_shown(question: str, passages: list[Passage], answer: str) -> None:
    assert said(make_persona(), question, passages, [answer]) == answer


@pytest.mark.parametrize(
    ("question", "passages", "answer", "word"),
    [
        (HOW_LONG, [RETURN], "You can return an item within 60 days of delivery.", "60"),
        (HOW_LONG, [RETURN], "You can return an item within 30 weeks of delivery.", "30"),
        (HOW_LONG, [RETURN], "You can not return an item within 30 days of delivery.", "return"),
        (HOW_LONG, [RETURN], "You can return an item to Rotterdam within 30 days.", "Rotterdam"),
        (HOW_LONG, [RETURN], "You can return a bicycle within 30 days of delivery.", "bicycle"),
        (HOW_LONG, [RETURN], "Write to refunds@evil.example within 30 days of delivery.", "refunds@evil.example"),
        (HOW_LONG, [RETURN], "See https://evil.example/x to return an item in 30 days.", "https://evil.example/x"),
        (HOW_LONG, [RETURN], "People like to work and play with friends at home for 30 days.", "People"),
        (ON_LAMP, [LAMPS, UMBRELLAS], "The warranty on lamps is 60 months.", "60"),
        (ON_LAMP, [LAMPS, UMBRELLAS], "The warranty is 60 months.", "60"),
        (ON_LAMP, [LAMPS, UMBRELLAS], "The warranty on lamps starts with delivery. It is 60 months.", "60"),
        (ON_LAMP, [BOTH], "The warranty on a lamp is 60 months.", "60"),
        (ON_LAMP, [LAMPS], "The warranty on lamps is 24 months. It does cover bulbs.", "cover"),
        (OPEN, [HOURS], "Yes, the shop is open on Sundays from 10:00 to 16:00.", "Sundays"),
        (HOW_LONG_ZH, [RETURN_ZH], "收到货后 60 天内可以退货。", "60"),
        (HOW_LONG_ZH, [RETURN_ZH], "收到货后三十天内不可以退货。", "退货"),
        (HOW_LONG_ZH, [RETURN_ZH], "收到货后 30 天内可以在 Berlin 退货。", "Berlin"),
        (HOW_LONG_ZH, [RETURN_ZH], "收到货后 30 天内可以退钓鱼竿。", "钓鱼竿"),
        (ON_LAMP_ZH, [LAMPS_ZH, UMBRELLAS_ZH], "台灯的保修期是 60 个月。", "60"),
        (ON_LAMP_ZH, [LAMPS_ZH], "台灯的保修期是六十个月。", "六十"),
        (ON_LAMP_ZH, [LAMPS], "台灯的保修期是 36 个月。", "36"),
    ],
)
def test_what_nothing_supports_is_refused(question: str, passages: list[Passage], answer: str, word: str) -> None:
    with pytest.raises(UnsupportedClaim) as caught:
        said(make_persona(), question, passages, [answer])
    assert caught.value.word == word


def test_supported_sentences_are_shown_before_the_unsupported_one_is_refused() -> None:
    guard = Library().guard(make_persona(), ON_LAMP, [LAMPS])
    assert guard.write("The warranty on lamps is 24 months. It is 60 mon") == "The warranty on lamps is 24 months."
    with pytest.raises(UnsupportedClaim):
        guard.write("ths on umbrellas. So")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(
        [
            "Sure! The warranty on lamps is 24 months. It does not cover bulbs.",
            "The warranty on lamps is 24 months. It starts in Paris. It does not cover bulbs.",
            "1. The warranty on lamps is 24 months.\n2. It does not cover bulbs.\n\n",
            "好的。The warranty on lamps is 24 months from the day of delivery. 60 months!",
            "Hello! ",
        ]
    ),
    st.lists(st.integers(1, 70), max_size=8),
)
def test_chunks_make_no_difference(answer: str, cuts: list[int]) -> None:
    def outcome(pieces: list[str]) -> tuple[str, str | None]:
        guard = Library().guard(make_persona(), ON_LAMP, [LAMPS])
        shown = ""
        try:
            for piece in pieces:
                shown += guard.write(piece)
            shown += guard.finish()
        except UnsupportedClaim as error:
            return "", error.word
        return shown, None

    edges = sorted({0, len(answer), *(cut for cut in cuts if cut < len(answer))})
    pieces = [answer[start:end] for start, end in pairwise(edges)]
    assert outcome(pieces) == outcome([answer]) == outcome(list(answer))


def test_a_sentence_about_it_stays_with_the_passage_before() -> None:
    both = "How long is the warranty on lamps and on umbrellas?"
    start = "The warranty on lamps starts on the day of delivery."
    assert said(make_persona(), both, [LAMPS, UMBRELLAS], [start + " It is 24 months."])
    with pytest.raises(UnsupportedClaim):
        said(make_persona(), both, [LAMPS, UMBRELLAS], [start + " It is 60 months."])


def test_sources_are_the_passages_that_were_used() -> None:
    guard = Library().guard(make_persona(), ON_LAMP, [UMBRELLAS, LAMPS])
    guard.write("The warranty on lamps is 24 months from the day of delivery.")
    guard.finish()
    assert [source.title for source in guard.sources()] == ["Lamps"]
    silent = Library().guard(make_persona(cite=False), ON_LAMP, [LAMPS])
    silent.write(LAMPS.text)
    silent.finish()
    assert silent.sources() == ()


def test_numbers_of_the_question_and_the_personas_text_are_free() -> None:
    assert said(make_persona(), "Can I return 7 lamps?", [RETURN], ["You can return all 7 within 30 days of delivery."])
    strict = make_persona(disclaimer=LocalText({"en": "In an emergency call 112."}))
    assert said(strict, HOW_LONG, [RETURN], [RETURN.text + " In an emergency call 112."])
    with pytest.raises(UnsupportedClaim):
        said(make_persona(), "Can I return lamps?", [RETURN], ["You can return all 7 within 30 days of delivery."])


def test_prefer_lets_the_model_phrase_freely_but_not_invent_facts() -> None:
    prefer = make_persona(grounded="prefer")
    free = "What a good day to go home with friends and talk about return."
    assert said(prefer, "Tell me about returns", [RETURN], [free]) == free
    with pytest.raises(UnsupportedClaim):
        said(make_persona(), "Tell me about returns", [RETURN], [free])
    with pytest.raises(UnsupportedClaim):
        said(prefer, "Tell me about returns", [RETURN], ["It was in 1987."])
    anything = "In 1987 Zebulon walked to Samarkand."
    assert said(prefer, "Tell me a story", [], [anything]) == anything
    assert said(make_persona(grounded="off"), "Tell me a story", [RETURN], [anything]) == anything


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("The shop \ufffd\ufffd.", "broken character"),
        ("Fine.<|im_end|>", "broken character"),
        ("no no no no no no.", "repeats"),
        ("the lamp is " * 6, "repeats"),
        ("ha" * 30, "repeats"),
        ("我们我们我们我们我们", "repeats"),
        ("I like tea a lot. I like tea a lot. I like tea a lot.", "again and again"),
    ],
)
@pytest.mark.parametrize("grounded", ["off", "prefer"])
def test_a_degenerate_answer_is_refused_by_any_persona(grounded: str, answer: str, fault: str) -> None:
    with pytest.raises(DegenerateAnswer, match=re.escape(fault)):
        said(make_persona(grounded=grounded), "Hello", [], [answer])


def test_an_answer_without_what_was_asked_for_is_refused() -> None:
    with pytest.raises(DegenerateAnswer, match="leaves out"):
        said(make_persona(), HOW_LONG, [RETURN], ["It must be unused and in its original box."])


async def test_every_passage_of_the_shop_supports_itself_but_no_changed_number(shop: Path) -> None:
    library, persona = Library(), make_persona(shop)
    for question in (HOW_LONG, ON_LAMP, "What does standard delivery cost?", HOW_LONG_ZH, ON_LAMP_ZH):
        passages = await library.search(persona, question)
        text = passages[0].text
        assert said(persona, question, passages, [text]) == text
        changed = re.sub(r"\d+", "77", text, count=1)
        with pytest.raises(UnsupportedClaim):
            said(persona, question, passages, [changed])

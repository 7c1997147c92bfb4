"""Rated answers as chats."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.notices import MAY_TRAIN
from bot.prompt import render_question
from bot.ratings import Chat, LeftOut, chat_of
from bot.types import KnowledgeSource, LocalText, Message, Persona, RatedTurn, Rating, Source, StoredMessage
from tests.core.parts import PASSAGE, make_persona

AT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
SOURCE = Source(title="Returns", path=PASSAGE.path, text=PASSAGE.text)
GIVES_LEAVE = make_persona(
    instructions=LocalText({"en": "You help {{user.name}} on {{date}}."}), style=("Be short.",), rating_notice=MAY_TRAIN
)


def said(role: str, text: str, **fields: object) -> StoredMessage:
    return StoredMessage(id=role, role=role, text=text, turn="t", at=AT, **fields)  # type: ignore[arg-type] # for brevity


RATED = RatedTurn(
    turn="t",
    persona="helper",
    locale="en",
    question=(said("user", "How long? I am Ann, ann@example.com.", author="Ann"),),
    answer=said("assistant", "30 days, Ann.", sources=(SOURCE,)),
    rating=Rating(rating="up", may_train=True),
    rated_at=AT,
    names=("Ann",),
)


def chat(rated: RatedTurn = RATED, persona: Persona = GIVES_LEAVE) -> Chat:
    found = chat_of(rated, persona, zone=UTC)
    assert isinstance(found, Chat)
    return found


def test_a_chat_is_what_the_model_was_told_and_asked_and_said_with_people_masked() -> None:
    assert chat().messages == (
        Message(role="system", text="You help [name] on 2026-11-23.\nBe short."),
        Message(role="user", text=render_question("How long? I am [name], [email].", [PASSAGE], language="en")),
        Message(role="assistant", text="30 days, [name]."),
    )
    assert chat().masked == {"name": 1, "email": 1}


def test_without_sources_the_question_stands_alone_in_the_language_it_was_asked_in() -> None:
    rated = replace(
        RATED,
        question=(said("user", "怎么退货？"), said("user", "30天内吗？")),
        answer=said("assistant", "可以。"),
    )
    persona = make_persona(instructions=LocalText({"en": "Help.", "zh-CN": "帮助。"}), rating_notice=MAY_TRAIN)
    assert [message.text for message in chat(rated, persona).messages] == ["帮助。", "怎么退货？\n30天内吗？", "可以。"]


def test_the_disclaimer_that_parley_adds_is_not_learnt() -> None:
    persona = replace(GIVES_LEAVE, policy="health", disclaimer=LocalText({"en": "See a doctor."}))
    rated = replace(RATED, answer=said("assistant", "Drink water.\n\nSee a doctor."))
    assert chat(rated, persona).messages[-1].text == "Drink water."


SILENT = replace(GIVES_LEAVE, cite=False, grounded="require", knowledge=(KnowledgeSource(path=AT, label="kb"),))  # type: ignore[arg-type] # never read


@pytest.mark.parametrize(
    ("rated", "persona", "why"),
    [
        (replace(RATED, rating=Rating(rating="down", may_train=True)), GIVES_LEAVE, LeftOut.RATED_BAD),
        (replace(RATED, rating=Rating(rating="up")), GIVES_LEAVE, LeftOut.NOT_TOLD),
        (RATED, replace(GIVES_LEAVE, rating_notice=None), LeftOut.NO_LEAVE),
        (RATED, None, LeftOut.NO_PERSONA),
        (RATED, SILENT, LeftOut.NO_SOURCES),
        (replace(RATED, answer=said("assistant", " ")), GIVES_LEAVE, LeftOut.EMPTY),
    ],
)
def test_what_may_not_or_cannot_teach_is_left_out_with_its_reason(
    rated: RatedTurn, persona: Persona | None, why: LeftOut
) -> None:
    assert chat_of(rated, persona, zone=UTC) is why

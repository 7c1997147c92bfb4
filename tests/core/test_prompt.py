from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PromptTooLong
from bot.prompt import build, render_question, render_system
from bot.types import Example, LocalText, Memory, Message, Passage, Persona, Prompt, Sampling, StoredMessage, Summary

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def words(messages: Sequence[Message]) -> int:
    return sum(len(message.text.split()) + 1 for message in messages)


def persona(**fields: object) -> Persona:
    base: dict[str, object] = {
        "name": "helper",
        "version": "1",
        "title": LocalText({"en": "Helper", "zh-CN": "助手"}),
        "description": "helps",
        "languages": ("en", "zh-CN"),
        "instructions": LocalText({"en": "You are {{persona.title}}. It is {{date}}, {{time}}. Help {{user.name}}."}),
        "sampling": Sampling(max_tokens=20),
    }
    return Persona(**{**base, **fields})  # type: ignore[arg-type] # keyword dict for brevity


def stored(turn: int, role: str, text: str) -> StoredMessage:
    return StoredMessage(id=f"{role}{turn}", role=role, text=text, turn=f"t{turn}", at=NOW)  # type: ignore[arg-type] # roles are literal here


def make(context: int = 200, **fields: object) -> Prompt:
    arguments: dict[str, object] = {
        "question": "What now?",
        "passages": (),
        "language": "en",
        "user": "Ann",
        "now": NOW,
        "context": context,
        "count": words,
    }
    given_persona = fields.pop("persona", persona())
    remembered = {name: fields.pop(name) for name in ("summary", "facts") if name in fields}
    arguments["memory"] = Memory(messages=fields.pop("history", ()), **remembered)  # type: ignore[arg-type] # likewise
    return build(given_persona, **{**arguments, **fields})  # type: ignore[arg-type] # likewise


def test_placeholders_are_filled_in_and_style_follows() -> None:
    text = render_system(persona(style=("Be brief.",)), language="en", user="Ann", now=NOW)
    assert text == "You are Helper. It is 2026-11-23, 09:30. Help Ann.\nBe brief."


def test_passages_are_numbered_under_their_headings_before_the_question() -> None:
    passage = Passage(id="1", text="Returns take 30 days.", path="kb/returns.md", heading=("Shop", "Returns"))
    assert render_question("How long?", [passage], language="en") == (
        "Material:\n[1] Shop > Returns\nReturns take 30 days.\n\nQuestion: How long?"
    )
    assert render_question("多久？", [passage], language="zh-CN").startswith("资料：\n[1]")
    assert render_question("How long?", [], language="en") == "How long?"


def test_order_is_persona_examples_history_question() -> None:
    prompt = make(
        persona=persona(examples=(Example(user="Hi", assistant="Hello"),)),
        history=(stored(1, "user", "first"), stored(1, "assistant", "answer")),
    )
    assert [m.role for m in prompt.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert prompt.messages[1].text == "Hi"
    assert prompt.messages[3].text == "first"
    assert prompt.messages[-1].text == "What now?"
    assert prompt.budget.left_out == ()


def test_the_personas_adapter_is_asked_for() -> None:
    assert make(persona=persona(adapter="acme-v3")).adapter == "acme-v3"
    assert make().adapter is None


def test_history_grows_by_appending_so_that_a_prefix_cache_holds() -> None:
    short = make(context=500, history=(stored(1, "user", "a"), stored(1, "assistant", "b")))
    history = (stored(1, "user", "a"), stored(1, "assistant", "b"), stored(2, "user", "c"), stored(2, "assistant", "d"))
    long = make(context=500, history=history)
    assert long.messages[:3] == short.messages[:3]


def test_whole_oldest_turns_are_left_out_first_and_named_in_the_receipt() -> None:
    history = tuple(stored(turn, role, "word " * 10) for turn in range(1, 6) for role in ("user", "assistant"))
    prompt = make(context=100, history=history)
    gone = [item.what for item in prompt.budget.left_out]
    assert gone[:2] == ["user1", "assistant1"]
    assert len(gone) % 2 == 0
    assert all(item.kind == "history" and item.tokens == 11 for item in prompt.budget.left_out)
    assert prompt.messages[1].role == "user"


def test_history_stays_within_the_persona_s_own_limit() -> None:
    history = tuple(stored(turn, role, "word " * 10) for turn in range(1, 6) for role in ("user", "assistant"))
    prompt = make(context=4000, persona=persona(history_tokens=44), history=history)
    assert words(prompt.messages[1:-1]) <= 44
    assert [m.text for m in prompt.messages[1:-1]] == ["word " * 10] * 4


def test_the_least_relevant_passage_goes_last_of_all_and_the_question_never() -> None:
    passages = tuple(Passage(id=str(n), text="fact " * 20, path=f"p{n}") for n in range(4))
    prompt = make(context=90, passages=passages, persona=persona(examples=(Example(user="Hi", assistant="Yes"),)))
    assert [item.kind for item in prompt.budget.left_out] == ["example", "passage", "passage"]
    assert [item.what for item in prompt.budget.left_out][1:] == ["p3", "p2"]
    assert prompt.messages[-1].text.endswith("What now?")


def test_instructions_and_question_that_do_not_fit_are_an_error_with_both_counts() -> None:
    with pytest.raises(PromptTooLong) as caught:
        make(context=60, question="word " * 100)
    assert caught.value.prompt_tokens > caught.value.context == 40


@given(
    context=st.integers(80, 600),
    facts=st.integers(0, 3),
    summarised=st.integers(0, 80),
    turns=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=8),
    passages=st.lists(st.integers(1, 60), max_size=5),
    limit=st.integers(10, 400),
)
def test_the_budget_is_never_exceeded_and_nothing_vanishes_without_a_receipt(
    *, context: int, facts: int, summarised: int, turns: list[tuple[int, int]], passages: list[int], limit: int
) -> None:
    history = tuple(
        stored(number, role, "word " * size)
        for number, pair in enumerate(turns)
        for role, size in zip(("user", "assistant"), pair, strict=True)
    )
    found = tuple(Passage(id=str(n), text="fact " * size, path=f"p{n}") for n, size in enumerate(passages))
    prompt = make(
        context=context,
        history=history,
        passages=found,
        persona=persona(history_tokens=limit),
        facts={f"name{n}": f"value{n}" for n in range(facts)},
        summary=Summary(covers="t", text="told " * summarised) if summarised else None,
    )
    assert prompt.budget.prompt == words(prompt.messages)
    assert prompt.budget.prompt + prompt.budget.reserved <= context
    assert words(prompt.messages[1:-1]) <= limit
    kept = len(prompt.messages) - 2
    dropped = [item for item in prompt.budget.left_out if item.kind == "history"]
    assert kept + len(dropped) == len(history)
    shown = sum(1 for n in range(len(found)) if f"[{n + 1}]" in prompt.messages[-1].text)
    assert shown + sum(1 for item in prompt.budget.left_out if item.kind == "passage") == len(found)
    system = prompt.messages[0].text
    for kind, there, whole in (("fact", system.count("value"), facts), ("summary", "told" in system, summarised > 0)):
        assert there + sum(1 for item in prompt.budget.left_out if item.kind == kind) == whole


SUMMARY = Summary(covers="t0", text="Ann wants her money back.")


def test_the_persona_s_text_comes_first_and_unchanged_then_facts_and_summary_in_the_language_of_the_turn() -> None:
    plain = make().messages[0].text
    prompt = make(facts={"order_number": "A-77"}, summary=SUMMARY)
    assert [m.role for m in prompt.messages] == ["system", "user"]
    noted = prompt.messages[0].text
    assert noted.startswith(plain)
    assert noted.index("A-77") < noted.index("money back")
    assert prompt.budget.prompt == words(prompt.messages)
    chinese = make(language="zh-CN", facts={"订单号": "A-77"}).messages[0].text
    assert "订单号：A-77" in chinese
    assert "Notes" not in chinese


def test_the_summary_goes_before_examples_and_the_facts_go_last() -> None:
    remembered = {"facts": {"order_number": "A-77"}, "summary": Summary(covers="t0", text="told " * 20)}
    example = persona(examples=(Example(user="Hi", assistant="Yes"),))
    passage = Passage(id="1", text="fact " * 20, path="p1")
    prompt = make(context=65, persona=example, passages=[passage], **remembered)
    assert next((item.kind, item.what) for item in prompt.budget.left_out) == ("summary", "t0")
    tight = make(context=42, persona=example, passages=[passage], **remembered)
    assert [item.kind for item in tight.budget.left_out] == ["summary", "example", "passage", "fact"]


def test_messages_of_one_role_in_a_row_are_joined_so_that_roles_take_turns() -> None:
    history = (
        stored(1, "user", "first"),
        stored(1, "user", "and this"),
        stored(1, "assistant", "answer"),
        stored(2, "user", "stopped before its answer"),
    )
    prompt = make(history=history)
    assert [m.role for m in prompt.messages] == ["system", "user", "assistant", "user"]
    assert prompt.messages[1].text == "first\nand this"
    assert prompt.messages[-1].text == "stopped before its answer\nWhat now?"

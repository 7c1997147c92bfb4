"""The checker on histories made by hand: silent where all went well, and it names each kind of fault."""

from dataclasses import replace

from tests.crash.checker import Kind, check
from tests.crash.history import History, Sent, Shown, StoredTurn, Write


def write(what: str, claimed: int, *, current: int | None = None, until: float = 0.0, process: str = "a") -> Write:
    now = claimed if current is None else current
    return Write(room="r", what=what, process=process, claimed=claimed, current=now, until=until)


def shown(number: int, *, turn: str | None = None, message: str | None = None, text: str | None = None) -> Shown:
    return Shown(
        message=message or f"m{number}",
        room="r",
        turn=turn or f"t{number}",
        text=f"About #{number}." if text is None else text,
    )


def stored(number: int, *, state: str = "done", text: str | None = None) -> StoredTurn:
    text = f"About #{number}." if text is None else text
    return StoredTurn(id=f"t{number}", room="r", seq=number, state=state, text=text)


GOOD = History(
    sent=tuple(Sent(event=f"e{n}", room="r", number=n) for n in (1, 2, 3)),
    acknowledged=frozenset({"e1", "e2", "e3"}),
    shown=(shown(1), shown(2), shown(3)),
    events={f"e{n}": f"t{n}" for n in (1, 2, 3)},
    turns={f"t{n}": stored(n) for n in (1, 2, 3)},
    writes=(write("claim", 7, until=115), write("finish", 7, until=115), write("release", 7)),
)


def kinds(history: History) -> set[Kind]:
    return {fault.kind for fault in check(history)}


def with_turn(turn: StoredTurn) -> History:
    return replace(GOOD, turns={**GOOD.turns, turn.id: turn})


def test_a_good_history_has_no_fault() -> None:
    assert check(GOOD) == ()


def test_a_message_that_nobody_acknowledged_is_lost() -> None:
    assert kinds(replace(GOOD, acknowledged=frozenset({"e1", "e2"}))) == {"lost"}


def test_an_acknowledged_message_that_is_not_in_the_database_is_unstored() -> None:
    assert kinds(replace(GOOD, events={"e1": "t1", "e2": "t2"})) == {"unstored"}


def test_a_turn_that_never_ended_is_lost() -> None:
    history = replace(with_turn(stored(3, state="running", text="")), shown=GOOD.shown[:2])
    assert kinds(history) == {"lost"}


def test_a_reply_that_is_stored_but_not_shown_is_lost() -> None:
    assert kinds(replace(GOOD, shown=GOOD.shown[:2])) == {"lost"}


def test_a_reply_that_answers_another_question_is_lost() -> None:
    history = replace(with_turn(stored(3, text="About tea.")), shown=(*GOOD.shown[:2], shown(3, text="About tea.")))
    assert kinds(history) == {"lost"}


def test_any_reply_will_do_to_a_turn_that_made_the_engine_misbehave() -> None:
    said = shown(3, text="About tea.")
    sent = (*GOOD.sent[:2], replace(GOOD.sent[2], answerable=False))
    history = replace(with_turn(stored(3, text="About tea.")), sent=sent, shown=(*GOOD.shown[:2], said))
    assert check(history) == ()


def test_a_failed_turn_with_a_word_of_regret_is_not_lost() -> None:
    history = replace(
        with_turn(stored(3, state="failed", text="Sorry.")), shown=(*GOOD.shown[:2], shown(3, text="Sorry."))
    )
    assert check(history) == ()


def test_a_second_message_of_a_turn_is_a_duplicate() -> None:
    assert kinds(replace(GOOD, shown=(*GOOD.shown, shown(3, message="m4")))) == {"duplicated"}


def test_a_second_answer_by_another_turn_is_a_duplicate() -> None:
    history = replace(
        with_turn(replace(stored(3), id="t4", seq=4)), shown=(*GOOD.shown, shown(3, turn="t4", message="m4"))
    )
    assert kinds(history) == {"duplicated"}


def test_an_empty_second_message_of_a_turn_is_a_duplicate() -> None:
    assert "duplicated" in kinds(replace(GOOD, shown=(*GOOD.shown, shown(3, message="m4", text=""))))


def test_replies_out_of_the_order_of_the_questions_are_reordered() -> None:
    assert kinds(replace(GOOD, shown=(shown(2), shown(1), shown(3)))) == {"reordered"}


def test_replies_out_of_the_order_of_their_turns_are_reordered_without_any_number() -> None:
    said = [stored(n, state="failed", text="Sorry.") for n in (1, 2, 3)]
    history = replace(
        GOOD,
        turns={turn.id: turn for turn in said},
        shown=tuple(shown(n, text="Sorry.") for n in (1, 3, 2)),
    )
    assert kinds(history) == {"reordered"}


def test_a_shown_text_that_differs_in_one_byte_is_wrong() -> None:
    assert kinds(replace(GOOD, shown=(*GOOD.shown[:2], shown(3, text="About #3. ")))) == {"wrong text"}


def test_a_message_of_no_stored_turn_is_unknown() -> None:
    assert kinds(replace(GOOD, shown=(*GOOD.shown, shown(4)))) == {"unknown"}


def test_a_write_under_an_old_epoch_is_stale() -> None:
    history = replace(GOOD, writes=(*GOOD.writes, write("claim", 8, until=130), write("save", 7, current=8)))
    assert kinds(history) == {"stale write"}


def test_a_lost_claim_may_be_released() -> None:
    history = replace(
        GOOD, writes=(*GOOD.writes, write("claim", 8, until=130), write("release", 7, current=8, until=130))
    )
    assert check(history) == ()


def test_a_claim_within_anothers_lease_makes_two_holders() -> None:
    history = replace(GOOD, writes=(write("claim", 7, until=115), write("claim", 8, until=120, process="b")))
    assert kinds(history) == {"two holders"}


def test_a_claim_within_a_renewed_lease_makes_two_holders() -> None:
    writes = (write("claim", 7, until=115), write("renew", 7, until=120), write("claim", 8, until=131, process="b"))
    assert kinds(replace(GOOD, writes=writes)) == {"two holders"}


def test_a_claim_after_a_lease_ran_out_or_was_given_back_is_fine() -> None:
    ran_out = (write("claim", 7, until=115), write("claim", 8, until=130, process="b"))
    given_back = (write("claim", 7, until=115), write("release", 7), write("claim", 8, until=120, process="b"))
    assert check(replace(GOOD, writes=ran_out)) == ()
    assert check(replace(GOOD, writes=given_back)) == ()


def test_the_only_process_may_take_what_a_dead_one_held() -> None:
    writes = (write("claim", 7, until=115), write("claim", 8, until=116, process="b"))
    assert check(replace(GOOD, writes=writes, one_process=True)) == ()
    assert kinds(replace(GOOD, writes=(writes[0], replace(writes[1], process="a")), one_process=True)) == {
        "two holders"
    }


def test_a_request_before_its_time_is_early() -> None:
    assert kinds(replace(GOOD, early=("replica0 asked post in r too early",))) == {"early"}

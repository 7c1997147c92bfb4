"""How long a take-over took, from a history made by hand."""

from tests.crash.history import History, Write
from tests.crash.report import Report


def report(*writes: tuple[str, str, float]) -> Report:
    """Writes of one room as (process, what, at); process `a` was killed at 100."""
    made = tuple(
        Write(room="r", what=what, process=process, claimed=number, current=number, at=at)
        for number, (process, what, at) in enumerate(writes)
    )
    history = History(sent=(), acknowledged=frozenset(), shown=(), events={}, turns={}, writes=made)
    return Report(
        name="n", database="sqlite", history=history, faults=(), killed={"a": 100.0}, figures={},
        latencies=(), acknowledgements=(), seconds=1.0,
    )  # fmt: skip


def test_a_takeover_lasts_from_the_kill_to_the_next_claim() -> None:
    assert report(("a", "claim", 98), ("a", "begin", 99), ("b", "claim", 103.5)).takeovers() == [3.5]


def test_who_had_nothing_left_to_do_is_not_taken_over() -> None:
    for last in ("sent", "idle", "release"):
        assert report(("a", "claim", 98), ("a", last, 99), ("b", "claim", 150)).takeovers() == []


def test_who_lives_is_not_taken_over() -> None:
    assert report(("b", "claim", 98), ("c", "claim", 150)).takeovers() == []

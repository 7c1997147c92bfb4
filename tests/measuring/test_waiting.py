"""Answers made one at a time: who waits, and for how long."""

from bot.measuring.answers import Answer, Ran
from bot.measuring.waiting import queued
from bot.measuring.workloads import Conversation, Workload
from bot.types import Message


def alone(asked: float, *came: float) -> Answer:
    return Answer(asked=asked, came=came, prompt_tokens=1, new_tokens=len(came))


def workload(*starts: float, turns: int = 1, grows: bool = False) -> Workload:
    turn = (Message(role="user", text="hello"),)
    made = tuple(Conversation(start=start, turns=(turn,) * turns, grows=grows) for start in starts)
    return Workload(name="w", new=2, longest=9, conversations=made)


def test_the_second_waits_for_the_first() -> None:
    first, second = queued(Ran([[alone(0, 1, 2)], [alone(2, 5, 6)]]), workload(0, 0.5)).answers
    assert (first.asked, first.came) == (0, (1, 2))
    assert (second.asked, second.came) == (0.5, (5, 6))


def test_who_comes_when_nothing_runs_does_not_wait() -> None:
    _, second = queued(Ran([[alone(0, 1, 2)]]), workload(0, 10)).answers
    assert second.came == (11, 12)


def test_a_conversation_asks_again_behind_those_who_wait() -> None:
    measured = [[alone(0, 1), alone(1, 3)], [alone(3, 4), alone(4, 6)]]
    found = queued(Ran(measured), workload(0, 0, turns=2, grows=True)).answers
    assert [(answer.asked, answer.came) for answer in found] == [(0, (1,)), (1, (4,)), (0, (2,)), (2, (6,))]


def test_few_measured_stand_for_many() -> None:
    found = queued(Ran([[alone(0, 1)], [alone(0, 2)]], computed=1.0), workload(0, 0, 0, 0))
    assert found.computed == 2.0
    assert [answer.came for answer in found.answers] == [(1,), (3,), (4,), (6,)]

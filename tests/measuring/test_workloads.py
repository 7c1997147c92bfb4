"""Workloads have the sizes they say, share nothing that they should not, and are the same as token ids."""

from collections.abc import Sequence
from itertools import pairwise, takewhile

import pytest

from bot.engine.client import chat_tokens
from bot.engine.folder import inspect
from bot.engine.tokens import ChatTokens
from bot.errors import ConfigError
from bot.measuring.workloads import GAP, TURNS, arrivals, chat, plan
from bot.types import Message
from tests.engine.models import make_folder


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> ChatTokens:
    return chat_tokens(inspect(make_folder(tmp_path_factory.mktemp("model") / "tiny")), thinking=False)


def shared(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens with which all of them begin."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*prompts, strict=False)))


def sizes(tokens: ChatTokens, at_once: int, label: str = "x") -> list[int]:
    workload = arrivals(at_once, shortest=64, longest=512, new=8, count=lambda m: len(tokens.encode(m)), label=label)
    return [len(turn) for conversation in plan(workload, tokens.encode).conversations for turn in conversation["turns"]]


def test_arriving_prompts_have_sizes_between_shortest_and_longest_spread_evenly(tokens: ChatTokens) -> None:
    found = sizes(tokens, 32)
    assert len(found) == 32
    assert min(found) >= 60
    assert max(found) <= 512
    assert 240 < sum(found) / 32 < 310
    assert all(later - earlier < 40 for earlier, later in pairwise(sorted(found)))


def test_they_arrive_one_after_the_other_and_one_alone_asks_in_sequence(tokens: ChatTokens) -> None:
    count = lambda messages: len(tokens.encode(messages))  # noqa: E731 - a name for the argument below
    many = arrivals(3, shortest=64, longest=80, new=8, count=count, label="x")
    assert [c.start for c in many.conversations] == [0, GAP, 2 * GAP]
    [alone] = arrivals(1, shortest=64, longest=80, new=8, count=count, label="x").conversations
    assert len(alone.turns) == 3
    assert not alone.grows


def test_prompts_of_different_runs_begin_differently(tokens: ChatTokens) -> None:
    def prompts(label: str) -> list[Sequence[int]]:
        workload = arrivals(4, shortest=64, longest=80, new=8, count=lambda m: len(tokens.encode(m)), label=label)
        return [conversation["turns"][0] for conversation in plan(workload, tokens.encode).conversations]

    together = [*prompts("one"), *prompts("two")]
    for number, prompt in enumerate(together):
        for other in together[number + 1 :]:
            assert shared([prompt, other]) < 20


def test_chats_share_the_persona_alone_and_fit_the_context(tokens: ChatTokens) -> None:
    workload = chat(3, new=32, context=2048, count=lambda m: len(tokens.encode(m)), label="x")
    first = [conversation["turns"][0] for conversation in plan(workload, tokens.encode).conversations]
    assert 380 < shared(first) < 440
    assert all(480 < len(prompt) < 540 for prompt in first)
    assert all(len(conversation.turns) == TURNS for conversation in workload.conversations)


@pytest.mark.parametrize("context", [256, 512, 2048])
def test_a_chat_shrinks_into_a_short_context(tokens: ChatTokens, context: int) -> None:
    workload = chat(2, new=16, context=context, count=lambda m: len(tokens.encode(m)), label="x")
    for conversation in plan(workload, tokens.encode).conversations:
        assert sum(len(turn) + 16 for turn in conversation["turns"]) <= workload.longest <= context


def test_a_context_too_short_for_any_chat_is_said(tokens: ChatTokens) -> None:
    with pytest.raises(ConfigError, match="--new-tokens"):
        chat(2, new=64, context=256, count=lambda m: len(tokens.encode(m)), label="x")


def test_a_growing_plan_is_the_chat_as_the_template_renders_it(tokens: ChatTokens) -> None:
    workload = chat(1, new=16, context=1024, count=lambda m: len(tokens.encode(m)), label="x")
    [planned] = plan(workload, tokens.encode).conversations
    said: list[Message] = []
    ids: list[int] = []
    for messages, turn in zip(workload.conversations[0].turns, planned["turns"], strict=True):
        said += messages
        ids += turn
        assert ids == [*tokens.encode(said)]
        said.append(Message(role="assistant", text="the order"))
        with_answer = [*tokens.encode(said)]
        ids = with_answer[: with_answer.index(1, len(ids))] if 1 in with_answer[len(ids) :] else with_answer

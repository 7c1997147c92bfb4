"""The scheduler over real random models: what comes out is what transformers' `generate` says, whatever happens."""

from collections.abc import Sequence as List
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.engine.runner import SlotRunner, SoloRunner, batches
from bot.engine.scheduler import NOT_A_NUMBER, Report, Runner, Scheduler
from bot.engine.sequence import Sequence
from bot.engine.tokens import Detokenizer
from bot.types import Sampling
from tests.engine.models import FAMILIES, make_model

CONTEXT = 96


@cache
def model_of(family: str) -> Any:
    return make_model(family)


def runner_of(model: Any, *, slots: int, chunk: int, kept: int = 0) -> Runner:
    """`kept` counts tokens of the prefix store."""
    position = batches(model, context=CONTEXT)
    if position is None:
        return SoloRunner(model, slots=slots, context=CONTEXT)
    return SlotRunner(model, slots=slots, context=CONTEXT, chunk=chunk, kept=kept * position)


def request(
    number: int, prompt: list[int], *, new: int, ends: frozenset[int] = frozenset(), **sampling: Any
) -> Sequence:
    return Sequence(
        id=number,
        prompt=prompt,
        sampling=Sampling(**{"temperature": 0.0, **sampling}),
        limit=new,
        ends=ends,
        text=Detokenizer(lambda ids: "".join(chr(0x4E00 + token) for token in ids)),
    )


def tokens_of(text: str) -> list[int]:
    return [ord(character) - 0x4E00 for character in text]


def generated(model: Any, prompt: list[int], *, new: int, **options: Any) -> list[int]:
    out = model.generate(
        torch.tensor([prompt]), max_new_tokens=new, do_sample=False, pad_token_id=0, eos_token_id=None, **options
    )
    return [int(token) for token in out[0, len(prompt) :]]


@dataclass
class Outcome:
    texts: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    cached: dict[int, int] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        for number, text, _ in report.texts:
            self.texts[number] = self.texts.get(number, "") + text
        for number, reason, _, cached in report.done:
            assert number not in self.reasons
            self.reasons[number] = reason
            self.cached[number] = cached
        self.failed.update(dict(report.failed))


def run(scheduler: Scheduler, sequences: List[Sequence]) -> Outcome:
    outcome = Outcome()
    for sequence in sequences:
        scheduler.add(sequence)
    while not scheduler.idle:
        outcome.add(scheduler.step())
    return outcome


@pytest.mark.parametrize("family", [*FAMILIES])
@given(data=st.data())
@settings(max_examples=6, deadline=None, phases=[Phase.generate])  # shrinking would take minutes
def test_answers_equal_generate_under_any_arrivals_cancels_and_shared_beginnings(
    family: str, data: st.DataObject
) -> None:
    model = model_of(family)
    scheduler = Scheduler(
        runner_of(
            model,
            slots=data.draw(st.integers(1, 4), label="slots"),
            chunk=data.draw(st.integers(1, 40), label="chunk"),
            kept=data.draw(st.sampled_from([0, 40, 1000]), label="kept"),
        )
    )
    count = data.draw(st.integers(2, 6), label="requests")
    shapes = [
        (data.draw(st.integers(1, 50)), data.draw(st.integers(1, 12)), data.draw(st.integers(0, 20)))
        for _ in range(count)
    ]
    cancels = data.draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, 25), max_size=2), label="cancels")
    shared = data.draw(st.integers(0, 45), label="shared")
    prompts = [
        [(7 * number * (at >= shared) + 13 * at) % 318 + 2 for at in range(size)]
        for number, (size, _, _) in enumerate(shapes)
    ]
    outcome, step = Outcome(), 0
    while step < 26 or not scheduler.idle:
        for number, (_, new, arrival) in enumerate(shapes):
            if arrival == step:
                scheduler.add(request(number, prompts[number], new=new))
        for number, at in cancels.items():
            if at == step:
                scheduler.cancel(number)
        outcome.add(scheduler.step())
        step += 1
    assert scheduler.running == scheduler.waiting == 0
    assert not outcome.failed
    for number, (_, new, _) in enumerate(shapes):
        wanted = generated(model, prompts[number], new=new)
        found = tokens_of(outcome.texts.get(number, ""))
        if outcome.reasons.get(number) == "length":
            assert found == wanted
        else:
            assert number in cancels
            assert found == wanted[: len(found)]


def test_rows_keep_their_places_when_a_row_before_them_ends() -> None:
    model = model_of("llama")
    scheduler = Scheduler(runner_of(model, slots=4, chunk=4))
    prompts = {1: [5, 6], 2: [9, 8, 7], 3: list(range(40, 70))}
    lengths = {1: 5, 2: 12, 3: 6}
    outcome = run(scheduler, [request(number, prompt, new=lengths[number]) for number, prompt in prompts.items()])
    for number, prompt in prompts.items():
        assert tokens_of(outcome.texts[number]) == generated(model, prompt, new=lengths[number])


def test_a_following_turn_reads_only_what_is_new() -> None:
    model = model_of("llama")
    scheduler = Scheduler(runner_of(model, slots=2, chunk=4, kept=1000))
    persona, question = list(range(50, 70)), [5, 6, 7]
    first = run(scheduler, [request(1, [*persona, *question], new=6)])
    said = tokens_of(first.texts[1])
    following = [*persona, *question, *said, 9, 8]
    second = run(scheduler, [request(2, following, new=6), request(3, [*persona, 30, 31], new=6)])
    assert (first.cached, second.cached) == ({1: 0}, {2: 20 + 3 + 5, 3: 20})  # the last token said was never read
    assert tokens_of(second.texts[2]) == generated(model, following, new=6)
    assert tokens_of(second.texts[3]) == generated(model, [*persona, 30, 31], new=6)


def test_those_who_arrive_together_read_what_they_share_once() -> None:
    model = model_of("qwen2")
    scheduler = Scheduler(runner_of(model, slots=3, chunk=64, kept=1000))
    prompts = {number: [*range(50, 80), number, number + 1] for number in range(1, 6)}
    outcome = run(scheduler, [request(number, prompt, new=8) for number, prompt in prompts.items()])
    assert outcome.cached == {1: 0, 2: 30, 3: 30, 4: 30, 5: 30}
    for number, prompt in prompts.items():
        assert tokens_of(outcome.texts[number]) == generated(model, prompt, new=8)


def test_the_same_prompt_again_reads_its_last_token_alone() -> None:
    scheduler = Scheduler(runner_of(model_of("llama"), slots=1, chunk=8, kept=1000))
    outcomes = [run(scheduler, [request(number, [5, 6, 7, 8], new=4)]) for number in range(2)]
    assert outcomes[1].cached == {1: 3}
    assert outcomes[0].texts[0] == outcomes[1].texts[1]


def test_a_cancelled_answer_is_kept_as_far_as_it_went_and_one_half_read_is_not() -> None:
    model = model_of("llama")
    scheduler = Scheduler(runner_of(model, slots=1, chunk=8, kept=1000))
    prompt = list(range(20, 32))
    scheduler.add(request(1, prompt, new=50))
    scheduler.step()
    scheduler.cancel(1)
    assert run(scheduler, [request(2, prompt, new=2)]).cached == {1: 0, 2: 0}
    scheduler.add(request(3, [*prompt, 9], new=50))
    texts = "".join(text for _ in range(5) for _, text, _ in scheduler.step().texts)
    scheduler.cancel(3)
    said = tokens_of(texts)
    following = [*prompt, 9, *said, 4]
    outcome = run(scheduler, [request(4, following, new=4)])
    assert outcome.cached[4] == len(following) - 2
    assert tokens_of(outcome.texts[4]) == generated(model, following, new=4)


def test_a_row_without_numbers_leaves_nothing_behind() -> None:
    model = make_model("llama", tie_word_embeddings=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[300] = float("nan")
    scheduler = Scheduler(SlotRunner(model, slots=1, context=CONTEXT, chunk=8, kept=10**6))
    run(scheduler, [request(1, [5, 6, 300], new=4)])
    assert run(scheduler, [request(2, [5, 6, 300, 7], new=4)]).failed == {2: NOT_A_NUMBER}
    assert run(scheduler, [request(3, [5, 6, 7], new=4)]).cached == {3: 0}


def test_models_with_plain_attention_decode_together_and_others_one_by_one() -> None:
    together = {family: batches(model_of(family), context=CONTEXT) is not None for family in FAMILIES}
    assert together == {family: family != "gemma2" for family in FAMILIES}


def test_the_cache_bytes_of_a_position_are_measured() -> None:
    per_layer = 2 * 2 * 8 * 4  # keys and values, two heads of eight floats
    assert batches(model_of("llama"), context=CONTEXT) == 2 * per_layer


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_repetition_penalty_equals_generates(family: str) -> None:
    model = model_of(family)
    prompt = [5, 9, 5, 200, 17, 9]
    outcome = run(Scheduler(runner_of(model, slots=2, chunk=4)), [request(1, prompt, new=14, repetition_penalty=1.4)])
    assert tokens_of(outcome.texts[1]) == generated(model, prompt, new=14, repetition_penalty=1.4)


def test_a_seed_gives_the_same_answer_alone_and_in_a_batch() -> None:
    model = model_of("llama")
    kinds: list[dict[str, Any]] = [
        {"temperature": 0.9},
        {"temperature": 1.2, "top_k": 20},
        {"temperature": 0.7, "top_k": 20, "top_p": 0.8},
        {"temperature": 1.0, "repetition_penalty": 1.3},
        {"temperature": 1.1, "min_p": 0.05, "presence_penalty": 0.7, "logit_bias": ((9, 1.0),), "logprobs": 2},
        {"temperature": 0.0},
    ]

    def requests() -> list[Sequence]:
        return [request(n, [n + 3, 40, 7 * n + 2], new=16, seed=n, **kind) for n, kind in enumerate(kinds)]

    alone = [run(Scheduler(runner_of(model, slots=1, chunk=8)), [one]).texts for one in requests()]
    together = run(Scheduler(runner_of(model, slots=6, chunk=8)), requests()).texts
    assert {number: text for texts in alone for number, text in texts.items()} == together


def test_the_end_token_and_stop_strings_end_an_answer_and_free_its_row() -> None:
    model = model_of("llama")
    prompt = [11, 12, 13]
    wanted = generated(model, prompt, new=10)
    end = wanted[4]
    first = wanted.index(end)
    stop = "".join(chr(0x4E00 + token) for token in wanted[2:4])
    scheduler = Scheduler(runner_of(model, slots=2, chunk=8))
    outcome = run(
        scheduler, [request(1, prompt, new=10, ends=frozenset([end])), request(2, prompt, new=10, stop=(stop,))]
    )
    assert outcome.reasons == {1: "stop", 2: "stop"}
    assert tokens_of(outcome.texts.get(1, "")) == wanted[:first]
    assert stop not in outcome.texts.get(2, "")
    assert scheduler.running == 0


def test_a_row_without_numbers_fails_alone() -> None:
    model = make_model("llama", tie_word_embeddings=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[300] = float("nan")
    scheduler = Scheduler(SlotRunner(model, slots=3, context=CONTEXT, chunk=8))
    good = [5, 6, 7]
    outcome = run(scheduler, [request(1, [5, 300, 7], new=6), request(2, good, new=6)])
    assert outcome.failed == {1: NOT_A_NUMBER}
    assert tokens_of(outcome.texts[2]) == generated(model, good, new=6)


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_a_row_without_numbers_left_in_its_place_does_not_reach_the_next_one_there(*, cancelled: bool) -> None:
    model = make_model("llama", tie_word_embeddings=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[300] = float("nan")
    scheduler = Scheduler(SlotRunner(model, slots=2, context=CONTEXT, chunk=40))
    prompts = {1: list(range(20, 60)), 3: [7, 8]}
    scheduler.add(request(1, prompts[1], new=12))
    scheduler.add(request(2, [*range(5, 35), 300, *range(5, 35)], new=12))
    outcome = Outcome()
    for _ in range(2):
        outcome.add(scheduler.step())
    if cancelled:
        scheduler.cancel(2)
    merged = run(scheduler, [request(3, prompts[3], new=6)])
    assert merged.failed == ({} if cancelled else {2: NOT_A_NUMBER})
    assert tokens_of(outcome.texts[1] + merged.texts[1]) == generated(model, prompts[1], new=12)
    assert tokens_of(merged.texts[3]) == generated(model, prompts[3], new=6)


def test_a_forward_that_raises_ends_its_requests_and_not_the_scheduler() -> None:
    runner = runner_of(model_of("llama"), slots=2, chunk=8)
    scheduler = Scheduler(runner)
    outcome = run(scheduler, [request(1, [5, 10_000], new=4), request(2, [5, 6], new=4)])
    assert "failed" in outcome.failed[1]
    assert outcome.reasons == {2: "length"}


def test_requests_are_read_in_the_order_of_their_arrival() -> None:
    scheduler = Scheduler(runner_of(model_of("llama"), slots=1, chunk=64))
    order: list[int] = []
    for number in (3, 1, 2):
        scheduler.add(request(number, [number, 4], new=2))
    while not scheduler.idle:
        order += [number for number, *_ in scheduler.step().done]
    assert order == [3, 1, 2]


def test_a_long_prompt_does_not_hold_up_a_running_answer() -> None:
    scheduler = Scheduler(runner_of(model_of("llama"), slots=2, chunk=4))
    scheduler.add(request(1, [5, 6], new=20))
    scheduler.step()
    scheduler.add(request(2, list(range(2, 42)), new=2))
    steps = [scheduler.step() for _ in range(9)]
    assert all(any(number == 1 for number, *_ in report.texts) for report in steps)
    assert not any(number == 2 for report in steps for number, *_ in report.texts)
    assert any(number == 2 for number, *_ in scheduler.step().texts)


def test_a_cancel_frees_the_row_before_the_next_step() -> None:
    scheduler = Scheduler(runner_of(model_of("llama"), slots=1, chunk=8))
    scheduler.add(request(1, [5, 6], new=50))
    scheduler.step()
    scheduler.add(request(2, [7, 8], new=1))
    scheduler.cancel(1)
    assert scheduler.running == 0
    assert [(number, reason) for number, reason, *_ in scheduler.told().done] == [(1, "cancelled")]
    assert [(number, reason) for number, reason, *_ in scheduler.step().done] == [(2, "length")]

"""How many threads: as few as are as fast."""

import time
from collections.abc import Iterator, Mapping

import pytest
import torch

from bot.engine.int8 import quantise
from bot.engine.threads import probe, worthwhile
from tests.engine.models import make_model


def asked(rates: Mapping[int, float], *, cores: int) -> tuple[int, set[int]]:
    """What is chosen, and which numbers were tried."""
    tried: set[int] = set()

    def rate(threads: int) -> float:
        tried.add(threads)
        return rates[threads]

    return worthwhile(rate, cores=cores), tried


def test_threads_are_doubled_as_long_as_that_pays() -> None:
    assert asked({1: 10, 2: 19, 4: 30, 8: 31, 16: 300}, cores=16) == (4, {1, 2, 4, 8})


def test_a_second_thread_that_brings_little_or_collapses_is_not_taken() -> None:
    assert asked({1: 10, 2: 11}, cores=2)[0] == 1
    assert asked({1: 10, 2: 2.4}, cores=2)[0] == 1
    assert asked({1: 10, 2: 17}, cores=2)[0] == 2


def test_no_more_threads_than_cores_are_tried() -> None:
    assert asked({1: 10}, cores=1) == (1, set())
    assert asked({1: 10, 2: 20}, cores=3) == (2, {1, 2})


def test_one_disturbed_measurement_does_not_decide() -> None:
    answers = {1: iter([10.0, 10.0]), 2: iter([4.0, 24.0])}
    assert worthwhile(lambda threads: next(answers[threads]), cores=2) == 2


@pytest.fixture
def _as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize(("family", "int8"), [("llama", False), ("llama", True), ("gpt2", False)])
def test_a_model_is_probed_with_its_own_layers_and_torch_keeps_what_was_found(family: str, *, int8: bool) -> None:
    model = make_model(family)
    if int8:
        quantise(model)
    before = time.process_time()
    found = probe(model)
    assert found == torch.get_num_threads()
    assert found >= 1
    assert time.process_time() - before < 30


@pytest.mark.usefixtures("_as_before")
def test_layers_in_bfloat16_are_probed_in_it() -> None:
    assert probe(make_model("llama").to(torch.bfloat16)) >= 1

import pytest

from bot.measuring.answers import Answer, Ran, figures, percentile


def answer(asked: float, *came: float, prompt: int = 10, cached: int = 0) -> Answer:
    return Answer(asked=asked, came=came, prompt_tokens=prompt, new_tokens=len(came), cached_tokens=cached)


def test_the_figures_of_two_answers() -> None:
    found = figures(Ran([[answer(1.0, 1.5, 1.75)], [answer(2.0, 2.25, 3.0, cached=5)]], memory=7, computed=8.0))
    assert found.tokens_per_second == pytest.approx(4 / 2.0)
    assert (found.first_p50, found.next_p50) == (0.375, 0.5)
    assert found.cached == 0.25
    assert found.tokens_per_cpu_second == 0.5
    assert (found.answers, found.prompt_tokens, found.new_tokens, found.memory) == (2, 20, 4, 7)


def test_an_answer_that_showed_nothing_counts_and_breaks_nothing() -> None:
    found = figures(Ran([[answer(0.0)]]))
    assert (found.answers, found.tokens_per_second, found.first_p99) == (1, 0.0, 0.0)


def test_no_answers_have_no_figures() -> None:
    with pytest.raises(ValueError, match="no answers"):
        figures(Ran([]))


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert percentile([1.0, 2.0], 0.99) == pytest.approx(1.99)
    assert percentile([], 0.5) == 0.0

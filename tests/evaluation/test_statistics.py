import numpy as np
import pytest

from bot.evaluation.statistics import bootstrap, difference, f1_of_sums, mean, rate, share_of_sums


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_s_interval_is_that_of_the_textbooks(hits: int, n: int, low: float, high: float) -> None:
    """81 of 263 is R. G. Newcombe's example (Statistics in Medicine 1998, table I), the others follow by hand."""
    found = rate(hits, n)
    assert found.value == pytest.approx(hits / n)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_nothing_measured_has_no_value() -> None:
    assert rate(0, 0).value is None
    assert mean([]).value is None
    assert mean([]).plain() == {"value": None, "n": 0}


def test_the_bootstrap_of_a_mean_comes_near_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 1000)
    found = mean(values.tolist())
    half = 1.96 * values.std() / 1000**0.5
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_about_95_of_100_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        found = mean(random.normal(0.0, 1.0, 80).tolist())
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.0 <= found.high
    assert 178 <= held <= 199


def test_the_same_values_give_the_same_interval() -> None:
    assert mean([0.1, 0.5, 0.9, 0.3]) == mean([0.1, 0.5, 0.9, 0.3])


def test_pairing_finds_a_small_difference_that_hides_in_the_spread() -> None:
    random = np.random.default_rng(3)
    first = random.normal(0.0, 10.0, 200)
    second = first + random.normal(0.5, 0.5, 200)
    found = difference(first.tolist(), second.tolist())
    assert found.low is not None
    assert found.low > 0.3


def test_f1_of_sums_is_the_harmonic_mean_of_precision_and_recall() -> None:
    rows = np.asarray([[1, 1, 1], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]], dtype=float)
    precision, recall = 2 / 3, 2 / 3
    assert bootstrap(rows, f1_of_sums).value == pytest.approx(2 * precision * recall / (precision + recall))


def test_a_share_weighs_items_by_their_size() -> None:
    rows = np.asarray([[10.0, 1.0], [10.0, 9.0]])
    assert bootstrap(rows, share_of_sums).value == pytest.approx(2.0)

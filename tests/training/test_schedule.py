import pytest

from bot.training.schedule import Budget, wsd


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    def rate(progress: float, step: int) -> float:
        return wsd(progress, step, warmup=10, decay=0.2)

    assert rate(0.0, 0) == pytest.approx(0.1)
    assert rate(0.5, 100) == 1.0
    assert rate(0.9, 100) == pytest.approx(0.5)
    assert rate(1.0, 100) == 0.0


def test_progress_is_the_greater_share_of_tokens_and_minutes() -> None:
    budget = Budget(tokens=1000, minutes=1.0, spent_seconds=30.0)
    assert budget.progress == 0.5
    budget.done_tokens = 900
    assert budget.progress == 0.9
    budget.done_tokens = 5000
    assert budget.progress == 1.0

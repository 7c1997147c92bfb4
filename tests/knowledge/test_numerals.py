import pytest

from bot.knowledge.numerals import numbers, states
from bot.knowledge.words import normal


def values(text: str) -> list[tuple[str, str | None]]:
    return [(number.value, number.unit) for number in numbers(normal(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thirty days", [("30", "day")]),
        ("３０ 天，三十天", [("30", "day"), ("30", "day")]),
        ("1,000 or 1000 or 1 000", [("1000", None)] * 3),
        ("$4.90 and 4.9 dollars", [("4.9", "usd")] * 2),
        ("twenty-four months, 24-month, 二十四个月", [("24", "month")] * 3),
        ("one hundred and five", [("105", None)]),
        ("one of the items, one day", [("1", "day")]),
        ("一个人，万一，十分，统一，一天", [("1", "day")]),
        ("两周，十天，三 个月", [("2", "week"), ("10", "day"), ("3", "month")]),
        ("9:00, 6 pm, 下午6点半, 18:30", [("9", None), ("18", None), ("18:30", None), ("18:30", None)]),
        ("3/4 and 四分之三", [("3/4", None)] * 2),
        ("10%, 10 percent, 百分之十", [("10", "pct")] * 3),
        ("1.5 million, 5 万元", [("1500000", None), ("50000", "cny")]),
        ("3 to 5 working days, 三到五个工作日", [("3–5", "day")] * 2),
        ("bulb E27, COVID", []),
    ],
)
def test_numbers_have_one_form_however_they_are_written(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("said", "claimed", "holds"),
    [
        ("within 30 days", "thirty days", True),
        ("within 30 days", "30 weeks", False),
        ("within 30 days", "30", True),
        ("14 countries; 7 to 10 days", "14 days", False),
        ("7 to 9 hours; teenagers 8 to 10 hours", "7 to 10 hours", False),
        ("7 to 9 hours", "9 hours", True),
        ("between 7 and 9 hours", "7 to 9 hours", True),
        ("Months of warranty: 24", "24 months", True),
    ],
)
def test_a_number_is_stated_only_in_its_own_unit_and_range(said: str, claimed: str, *, holds: bool) -> None:
    assert all(states(numbers(said), number) for number in numbers(claimed)) is holds

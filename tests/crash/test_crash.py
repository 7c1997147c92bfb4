"""Short trials on SQLite: every fault of the soak that one process can meet, a few times."""

from collections.abc import Mapping

import pytest

from tests.crash import strikes, together
from tests.crash.cases import one_duplicate_per_pause, overload
from tests.crash.moody import MOODS
from tests.crash.platform import Weather
from tests.crash.points import POINTS
from tests.crash.report import Report
from tests.crash.trial import Faults, Scenario, calm

pytestmark = pytest.mark.slow

TRIALS: Mapping[str, tuple[Scenario, Faults]] = {
    "kills": (Scenario(name="kills", turns=60), strikes.kills(6)),
    "points": (Scenario(name="points", turns=6000, until_struck=True), strikes.traps(POINTS)),
    "pauses": (Scenario(name="pauses", turns=40, lease=0.8, word=0.02), strikes.pauses(2)),
    "again": (
        Scenario(name="again", turns=40, weather=Weather(lost=0.25, again=(0.2, 0.6, 1.2))),
        strikes.wait_for_stragglers,
    ),
    "busy": (Scenario(name="busy", turns=40, settle=60, weather=Weather(busy=0.3, failing=0.03)), calm),
    "moods": (Scenario(name="moods", turns=32, rooms=8, moods=MOODS, deadline=4.0, polite=0.0), calm),
    "overload": (overload(Scenario(name=""), seconds=1.5), calm),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Report]:
    return together.run(TRIALS, tmp_path_factory)


def test_killed_at_random_moments_it_answers_everything_once_and_in_order(reports: Mapping[str, Report]) -> None:
    assert reports["kills"].faults == ()
    assert reports["kills"].figures["kills"] == 6


def test_killed_at_each_named_point_it_answers_everything_once_and_in_order(reports: Mapping[str, Report]) -> None:
    assert reports["points"].faults == ()
    assert reports["points"].missed == ()


def test_paused_for_longer_than_its_lease_it_overwrites_nothing(reports: Mapping[str, Report]) -> None:
    assert one_duplicate_per_pause(reports["pauses"]) == ()
    assert reports["pauses"].figures["pauses"] == 2


def test_events_delivered_again_and_lost_answers_make_one_reply_each(reports: Mapping[str, Report]) -> None:
    assert reports["again"].faults == ()
    assert reports["again"].figures["lost answers"] > 10


def test_a_platform_that_asks_to_wait_is_not_asked_early_and_the_order_is_kept(reports: Mapping[str, Report]) -> None:
    assert reports["busy"].faults == ()


def test_an_engine_that_misbehaves_costs_no_message_but_its_own_answer(reports: Mapping[str, Report]) -> None:
    assert reports["moods"].faults == ()
    assert reports["moods"].failed_turns > 0


def test_under_ten_times_overload_every_message_is_answered_or_told_busy_once(reports: Mapping[str, Report]) -> None:
    assert reports["overload"].faults == ()
    assert reports["overload"].failed_turns > 0
    assert reports["overload"].figures["MiB"] < 400

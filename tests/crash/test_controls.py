"""The harness sees a mechanism that is switched off: without these the trials would prove nothing."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.crash import strikes, together
from tests.crash.checker import Kind, count
from tests.crash.mechanisms import Mechanism
from tests.crash.platform import Weather
from tests.crash.trial import Faults, Scenario, calm

pytestmark = pytest.mark.slow

BASE = Scenario(name="control", turns=20, rooms=10, polite=0.0)
TRIALS: Mapping[Mechanism, tuple[Scenario, Faults]] = {
    "dedupe": (replace(BASE, off="dedupe", weather=Weather(twice=1.0)), calm),
    "reconcile": (replace(BASE, off="reconcile", weather=Weather(lost=0.4)), calm),
    "claim": (replace(BASE, off="claim", settle=0.5), calm),
    "fence": (replace(BASE, off="fence", lease=0.6, renewals=0.1, word=0.5, settle=1.5), strikes.pause_in_full_swing),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Mechanism, set[Kind]]:
    """The kinds of faults that each trial came to."""
    return {off: set(count(report.faults)) for off, report in together.run(TRIALS, tmp_path_factory).items()}


def test_without_unique_events_replies_are_duplicated(found: Mapping[Mechanism, set[Kind]]) -> None:
    assert "duplicated" in found["dedupe"]


def test_without_nonce_and_look_up_replies_are_duplicated(found: Mapping[Mechanism, set[Kind]]) -> None:
    assert "duplicated" in found["reconcile"]


def test_without_leases_two_hold_one_conversation(found: Mapping[Mechanism, set[Kind]]) -> None:
    assert "two holders" in found["claim"]


def test_without_the_fence_a_paused_holder_writes_over_the_next_one(found: Mapping[Mechanism, set[Kind]]) -> None:
    assert "stale write" in found["fence"]

"""Short trials of four replicas on PostgreSQL with Redis: what one process cannot meet."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash import strikes, together
from tests.crash.cases import REPLICAS, one_duplicate_per_pause, quiet
from tests.crash.report import Report
from tests.crash.trial import Faults, Ground, Scenario
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

pytestmark = pytest.mark.slow

TRIALS: Mapping[str, tuple[Scenario, Faults]] = {
    "kills": (Scenario(name="kills", turns=40, replicas=REPLICAS), strikes.kills(6)),
    "pauses": (Scenario(name="pauses", turns=40, replicas=2, lease=0.8, word=0.02), strikes.pauses(2)),
}
SERVERS = quiet(Scenario(name="servers", turns=20, replicas=2))


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def reports(
    postgres: PostgresServer, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Report]:
    @contextmanager
    def place(_: Path) -> Iterator[Ground]:
        with postgres.database() as name:
            yield Ground(url=postgres.url(name), redis=redis)

    return together.run(TRIALS, tmp_path_factory, place)


def test_replicas_killed_at_random_moments_answer_everything_once_and_in_order(reports: Mapping[str, Report]) -> None:
    assert reports["kills"].faults == ()
    assert reports["kills"].figures["kills"] == 6


def test_replicas_paused_for_longer_than_their_lease_overwrite_nothing(reports: Mapping[str, Report]) -> None:
    assert one_duplicate_per_pause(reports["pauses"]) == ()


def test_a_database_that_stops_at_any_moment_and_a_redis_that_forgets_lose_nothing(
    redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with PostgresServer() as own:

        @contextmanager
        def place(_: Path) -> Iterator[Ground]:
            with own.database() as name:
                yield Ground(url=own.url(name), postgres=own, redis=redis)

        stops = strikes.database_stops(4, every=(0.8, 1.6), down=(0.1, 0.4))
        faults = strikes.at_once(stops, strikes.redis_losses(4))
        report = together.run({"servers": (SERVERS, faults)}, tmp_path_factory, place)["servers"]
    assert report.faults == ()
    assert report.figures["database stops"] == 4
    assert sum(report.figures.get(name, 0) for name in ("Redis kills", "Redis flushes")) == 4

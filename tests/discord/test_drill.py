"""A short drill of what `make bench ARGS=discord` does at length."""

import pytest

from tests.benchmarks.discord import two_replicas


@pytest.mark.slow
async def test_a_killed_replica_loses_and_doubles_nothing() -> None:
    row, requests = await two_replicas(messages=60, kills=1)
    assert row.value.startswith("0 missing, 0 doubled, 0 out of order of 60;")
    assert requests.value.endswith(" 0 rejected")

"""Connections that break and a server that dies: what people see in the end is what is stored, to the byte."""

from pathlib import Path

import pytest

from tests.crash.browsers import ANSWER, browse
from tests.e2e.server import running

pytestmark = pytest.mark.slow


async def test_streams_cut_again_and_again_end_with_the_stored_text(tmp_path: Path) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.01) as server:
        found = await browse(server, browsers=4, cuts=20, seed=1)
    assert (found.wrong, found.lost, found.doubled) == (0, 0, 0)
    assert found.cuts >= 20


async def test_a_server_killed_under_open_streams_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.01) as server:
        found = await browse(server, browsers=4, cuts=4, kills=2, seed=2)
    assert (found.wrong, found.lost, found.doubled) == (0, 0, 0)
    assert found.kills == 2

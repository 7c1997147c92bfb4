"""The local engine and the scripted one keep the contract of the Engine port."""

import pytest

from bot.engine.client import LocalEngine
from bot.ports import Engine
from bot.testing import ScriptedEngine
from tests.conformance.engine import BoundedEngineContract, EngineContract

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestLocalEngine(BoundedEngineContract):
    @pytest.fixture
    def engine(self, engine: LocalEngine) -> Engine:
        return engine


class TestScriptedEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return ScriptedEngine("one two three")

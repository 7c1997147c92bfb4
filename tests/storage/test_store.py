"""The store's suite, on SQLite in a file and in memory, and on PostgreSQL."""

import pytest

from storage.sql import SqlStore
from tests.conformance.jobs import JobContract
from tests.conformance.rooms import ModelContract, OfficeContract, RoomContract, VaultContract
from tests.conformance.statistics import StatisticsContract
from tests.conformance.store import StoreContract
from tests.conformance.store_editing import EditingContract
from tests.conformance.store_turns import TurnContract
from tests.conformance.store_waiting import WaitingContract


class Contracts(
    StoreContract,
    TurnContract,
    WaitingContract,
    EditingContract,
    JobContract,
    StatisticsContract,
    RoomContract,
    VaultContract,
    OfficeContract,
    ModelContract,
):
    """All of them."""


class TestSqliteInAFile(Contracts):
    @pytest.fixture
    def store(self, file_store: SqlStore) -> SqlStore:
        return file_store


class TestSqliteInMemory(Contracts):
    @pytest.fixture
    def store(self, memory_store: SqlStore) -> SqlStore:
        return memory_store


class TestPostgres(Contracts):
    @pytest.fixture
    def store(self, postgres_store: SqlStore) -> SqlStore:
        return postgres_store

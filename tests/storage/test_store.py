"""The store's suite, on SQLite in a file and in memory."""

import pytest

from storage.sql import SqlStore
from tests.conformance.store import StoreContract
from tests.conformance.store_turns import TurnContract


class TestSqliteInAFile(StoreContract, TurnContract):
    @pytest.fixture
    def store(self, file_store: SqlStore) -> SqlStore:
        return file_store


class TestSqliteInMemory(StoreContract, TurnContract):
    @pytest.fixture
    def store(self, memory_store: SqlStore) -> SqlStore:
        return memory_store

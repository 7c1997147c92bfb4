"""The suites of long memory and of people's data, on SQLite in a file and in memory, and on PostgreSQL."""

import pytest

from storage.sql import SqlStore
from tests.conformance.memories import MemoryContract
from tests.conformance.records import RecordsContract


class TestSqliteInAFile(MemoryContract, RecordsContract):
    @pytest.fixture
    def store(self, file_store: SqlStore) -> SqlStore:
        return file_store


class TestSqliteInMemory(MemoryContract, RecordsContract):
    @pytest.fixture
    def store(self, memory_store: SqlStore) -> SqlStore:
        return memory_store


class TestPostgres(MemoryContract, RecordsContract):
    @pytest.fixture
    def store(self, postgres_store: SqlStore) -> SqlStore:
        return postgres_store

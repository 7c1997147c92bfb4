"""The store on SQL: SQLite in one process, PostgreSQL in several, by the same code."""

from bot.ports import StorePlugin
from storage.sql.beside import open_beside
from storage.sql.revisions import SqlMigrations
from storage.sql.settings import SqlSettings
from storage.sql.store import SqlStore, open_store

__all__ = ["SqlMigrations", "SqlSettings", "SqlStore", "open_store", "plugin"]

plugin: StorePlugin[SqlSettings] = StorePlugin(SqlSettings, open_store, SqlMigrations, open_beside)

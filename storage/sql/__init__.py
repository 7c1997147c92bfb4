"""The store on SQL: SQLite in one process."""

from bot.ports import Plugin, Store
from storage.sql.settings import SqlSettings
from storage.sql.store import SqlStore, open_store

__all__ = ["SqlSettings", "SqlStore", "open_store", "plugin"]

plugin: Plugin[SqlSettings, Store] = Plugin(SqlSettings, open_store)

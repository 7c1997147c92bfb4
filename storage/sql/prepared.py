"""Statements compiled once and run on the driver's cursor.

A turn costs some twenty statements, and SQLAlchemy's bookkeeping for each is dearer than SQLite's work. What it
knows of dialects and types is used here once, when a statement is first run.
"""

import collections
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.sql.compiler import SQLCompiler

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
Process = Callable[[Any], Any]


class Prepared:
    """Call it with the values of its parameters for all its rows, as named tuples; none where it returns none.

    `columns` are those an INSERT has values for.
    """

    def __init__(self, statement: Any, *, columns: Collection[str] | None = None) -> None:
        self._statement: Statement = statement
        self._columns = None if columns is None else list(columns)
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._statement, self._columns, dialect)
        return compiled.run(connection, values)

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first row, or None."""
        rows = self(connection, values)
        return rows[0] if rows else None


class _Compiled:
    def __init__(self, statement: Statement, columns: list[str] | None, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"{statement} is not a statement that can be prepared")
        self._sql = str(compiled)
        self._order = compiled.positiontup if compiled.positional else None
        names = self._order if self._order is not None else list(compiled.params)
        self._fixed = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        self._into = [
            (name, process)
            for name in dict.fromkeys(names)
            if (process := compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
        ]
        returned = list(statement.exported_columns)
        self._row: Any = collections.namedtuple("Row", [column.key for column in returned]) if returned else None  # type: ignore[misc]
        self._out_of: list[tuple[int, Process]] = [
            (place, process)
            for place, column in enumerate(returned)
            if (process := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        given = self._fixed | values  # type: ignore[operator]
        for name, process in self._into:
            given[name] = process(given[name])
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, given if self._order is None else [given[name] for name in self._order])
            if self._row is None:
                return ()
            rows = cursor.fetchall()
        finally:
            cursor.close()
        if self._out_of:
            rows = list(map(self._processed, rows))
        return list(map(self._row._make, rows))

    def _processed(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, process in self._out_of:
            values[place] = process(values[place])
        return values

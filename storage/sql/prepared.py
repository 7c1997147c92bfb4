"""Statements compiled once and run on the driver's cursor.

A turn costs some twenty statements, and SQLAlchemy's bookkeeping for each is dearer than SQLite's work. What it
knows of dialects and types is used here once, when a statement is first run. psycopg prepares on the server what a
connection runs for the sixth time.
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
        self._types = [column.type.dialect_impl(dialect) for column in returned]
        self._out_of: list[tuple[int, Process]] | None = None

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        given = self._fixed | values  # type: ignore[operator]
        for name, process in self._into:
            given[name] = process(given[name])
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, given if self._order is None else [given[name] for name in self._order])
            if self._row is None:
                return ()
            if self._out_of is None:
                self._out_of = self._processes(connection.dialect, cursor.description)
            rows = cursor.fetchall()
        finally:
            cursor.close()
        if self._out_of:
            rows = [_processed(row, self._out_of) for row in rows]
        return list(map(self._row._make, rows))

    def _processes(self, dialect: Dialect, description: Sequence[Any]) -> list[tuple[int, Process]]:
        """What makes values of what came, by place; it depends on the types the database sent."""
        return [
            (place, process)
            for place, (sort, sent) in enumerate(zip(self._types, description, strict=True))
            if (process := sort.result_processor(dialect, sent[1]))
        ]


def _processed(row: Sequence[Any], out_of: Sequence[tuple[int, Process]]) -> list[Any]:
    values = list(row)
    for place, process in out_of:
        values[place] = process(values[place])
    return values

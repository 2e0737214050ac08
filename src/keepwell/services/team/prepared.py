"""What workers ask and write many times a second: Django writes the SQL once, and then only the values change.

Writing the SQL of a question takes Django several times as long as the database takes to answer it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.sql import InsertQuery, UpdateQuery

Row = TypeVar("Row", bound=Model)
Value = str | int | datetime
"""What is left open; a new value of a column may also be None."""
_LARGE: Final = 32_700
"""Numbers from here on stand for those that are left open; they fit every column of numbers."""


@dataclass(frozen=True)
class _Written:
    """SQL in the words of one connection; where a value is open, its name is among the parameters."""

    sql: str
    parameters: tuple[tuple[str | None, Any], ...]
    compiler: Any

    def filled(self, values: Mapping[str, Value | None]) -> list[Any]:
        """The parameters with the open values in place."""
        adapted = self.compiler.connection.ops.adapt_datetimefield_value
        return [
            constant if name is None else adapted(value) if isinstance(value := values[name], datetime) else value
            for name, constant in self.parameters
        ]


class _Open:
    """Written once for each connection: every thread has its own."""

    def __init__(self, kinds: Mapping[str, type[Value]]) -> None:
        self._signs = {name: _sign(kind, number) for number, (name, kind) in enumerate(kinds.items())}
        self._written: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def written(self, compiler: Any) -> _Written:
        """The SQL of a compiler, in which the signs stand for what is open."""
        sql, parameters = compiler.as_sql()
        adapted = compiler.connection.ops.adapt_datetimefield_value
        names = {adapted(s) if isinstance(s, datetime) else s: name for name, s in self._signs.items()}
        return _Written(sql, tuple((names.get(value), value) for value in parameters), compiler)


class Prepared(_Open, Generic[Row]):
    """A question about the rows of one model: `build` makes it of values of the given kinds, by their names."""

    def __init__(self, build: Callable[..., QuerySet[Row]], **kinds: type[Value]) -> None:
        super().__init__(kinds)
        self._build = build

    def __call__(self, **values: Value) -> list[Row]:
        """The rows as they are now."""
        connection = connections[DEFAULT_DB_ALIAS]
        written, model, names, converters = self._written.get(connection) or self._write(connection)
        with connection.cursor() as cursor:
            cursor.execute(written.sql, written.filled(values))
            rows = cursor.fetchall()
        if converters and rows:
            rows = written.compiler.apply_converters(rows, converters)
        return [model.from_db(DEFAULT_DB_ALIAS, names, row) for row in rows]

    def first(self, **values: Value) -> Row | None:
        """The first row; None where there is none."""
        return next(iter(self(**values)), None)

    def _write(self, connection: Any) -> tuple[_Written, Any, Sequence[str], Any]:
        question = self._build(**self._signs)
        compiler = question.query.get_compiler(connection=connection)
        written = self.written(compiler)
        columns = [column for column, *_ in compiler.select]
        names = [column.target.attname for column in columns]
        found = written, question.model, names, compiler.get_converters(columns)
        self._written[connection] = found
        return found


class PreparedUpdate(_Open):
    """A change of the rows of one model: `build` makes them, and the new values of their columns."""

    def __init__(self, build: Callable[..., tuple[QuerySet[Any], Mapping[str, Any]]], **kinds: type[Value]) -> None:
        super().__init__(kinds)
        self._build = build

    def __call__(self, **values: Value | None) -> int:
        """Change them; how many there were."""
        connection = connections[DEFAULT_DB_ALIAS]
        written = self._written.get(connection) or self._write(connection)
        with connection.cursor() as cursor:
            cursor.execute(written.sql, written.filled(values))
            return int(cursor.rowcount)

    def _write(self, connection: Any) -> _Written:
        rows, changed = self._build(**self._signs)
        query = rows.query.chain(UpdateQuery)
        query.add_update_values(changed)  # type: ignore[attr-defined]
        self._written[connection] = self.written(query.get_compiler(connection=connection))
        return self._written[connection]  # type: ignore[no-any-return]


_inserts: Final[WeakKeyDictionary[Any, dict[type[Model], tuple[str, Any, Sequence[Any]]]]] = WeakKeyDictionary()


def insert(row: Model) -> None:
    """Write a new row, as `row.save(force_insert=True)` does; its number is the database's."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    known = _inserts.setdefault(connection, {})
    sql, returned, fields = known.get(type(row)) or known.setdefault(type(row), _insert_of(row, connection))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        (row.pk,) = connection.ops.fetch_returned_insert_columns(cursor, returned)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _insert_of(row: Model, connection: Any) -> tuple[str, Any, Sequence[Any]]:
    meta = row._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    query = InsertQuery(type(row))
    query.insert_values(fields, [row])
    compiler: Any = query.get_compiler(connection=connection)
    compiler.returning_fields = [meta.pk]
    ((sql, _),) = compiler.as_sql()
    return sql, compiler.returning_params, fields


def _sign(kind: type[Value], number: int) -> Value:
    """A value that no question has of its own."""
    if kind is datetime:
        return datetime(1900 + number, 1, 1, tzinfo=UTC)
    return _LARGE + number if kind is int else f"\x1f{number}"

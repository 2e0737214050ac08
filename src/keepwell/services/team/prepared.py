"""Questions that workers ask many times a second: Django writes their SQL once, and then only the values change.

Writing the SQL of a question takes Django several times as long as the database takes to answer it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
Value = str | int | datetime
_LARGE: Final = 2_000_000_000
"""Numbers from here on stand for those that a question leaves open; they fit every column of numbers."""


@dataclass(frozen=True)
class _Written:
    """A question in the database's words; where a value is open, its name is among the parameters."""

    sql: str
    parameters: tuple[tuple[str | None, Any], ...]


class Prepared(Generic[Row]):
    """A question about the rows of one model: `build` makes it of values of the given kinds, by their names."""

    def __init__(self, build: Callable[..., QuerySet[Row]], **kinds: type[Value]) -> None:
        self._build, self._kinds = build, kinds
        self._written: dict[str, _Written] = {}

    def __call__(self, **values: Value) -> list[Row]:
        """The rows as they are now."""
        written = self._written.get(connection.vendor) or self._write()
        found = [constant if name is None else _adapted(values[name]) for name, constant in written.parameters]
        return list(self._model.objects.raw(written.sql, found))

    def _write(self) -> _Written:
        signs = {name: _sign(kind, number) for number, (name, kind) in enumerate(self._kinds.items())}
        question = self._build(**signs)
        self._model: Any = question.model
        sql, parameters = question.query.sql_with_params()
        names = {_adapted(sign): name for name, sign in signs.items()}
        written = _Written(sql, tuple((names.get(value), value) for value in parameters))
        self._written[connection.vendor] = written
        return written


def _sign(kind: type[Value], number: int) -> Value:
    """A value that no question has of its own."""
    if kind is datetime:
        return datetime(1900 + number, 1, 1, tzinfo=UTC)
    return _LARGE + number if kind is int else f"\x1f{number}"


def _adapted(value: Value) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value

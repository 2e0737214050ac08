"""Parameters of a statement and the names of its parts: no text of a definition ever becomes SQL."""

from collections.abc import Mapping
from typing import Any


class Binding:
    """Collects parameters and named sub-queries while a statement is put together."""

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self.parts: dict[str, str] = {}
        self._names: dict[tuple[type, object], str] = {}
        self._made: dict[object, str] = {}

    def value(self, value: Any) -> str:
        """The placeholder for a value; equal values of one type share one."""
        key = (type(value), tuple(value) if isinstance(value, list) else value)
        if key not in self._names:
            name = f"p{len(self.parameters)}"
            self.parameters[name] = value
            self._names[key] = f"${name}"
        return self._names[key]

    def part(self, key: object, prefix: str, sql: str) -> str:
        """The name of a sub-query; the same key is put into the statement once."""
        if key not in self._made:
            name = f"{prefix}{len(self.parts)}"
            self.parts[name] = sql
            self._made[key] = name
        return self._made[key]

    def made(self, key: object) -> str | None:
        """The name of a sub-query that was put in before."""
        return self._made.get(key)

    def used_in(self, sql: str) -> Mapping[str, Any]:
        """The parameters that a finished statement names."""
        return {name: value for name, value in self.parameters.items() if f"${name}" in sql}

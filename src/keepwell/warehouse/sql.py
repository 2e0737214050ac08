"""Names and literals for SQL text."""

from collections.abc import Iterable


def quoted(name: str) -> str:
    """A column name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(names: Iterable[str], prefix: str = "") -> str:
    """Column names, quoted and separated by commas; `prefix` is put before each one."""
    return ", ".join(prefix + quoted(n) for n in names)

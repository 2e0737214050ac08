"""Integers that stand for outside keys: given out once, in sorted order within a load, never reused."""

from typing import Final

import duckdb

from keepwell.warehouse.sql import literal

_NEW_KEYS: Final = """
INSERT INTO {table} SELECT (SELECT coalesce(max({number}), 0) FROM {table}) + row_number() OVER (ORDER BY id), id
FROM (SELECT DISTINCT {text} AS id FROM ({rows}) WHERE {text} IS NOT NULL)
WHERE id NOT IN (SELECT {text} FROM {table})
"""

_NEW_SYMBOLS: Final = """
INSERT INTO symbols SELECT (SELECT coalesce(max(code), 0) FROM symbols) + row_number() OVER (ORDER BY id), {kind}, id
FROM (SELECT DISTINCT {text} AS id FROM ({rows}) WHERE {text} IS NOT NULL)
WHERE id NOT IN (SELECT text FROM symbols WHERE kind = {kind})
"""


def keep_customers(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    """Give every new `customer_id` of a relation an integer; returns how many were new."""
    return _count(connection, _NEW_KEYS.format(table="customer_keys", number="customer", text="customer_id", rows=rows))


def keep_people(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    """Give every new `person_id` of a relation an integer; returns how many were new."""
    return _count(connection, _NEW_KEYS.format(table="person_keys", number="person", text="person_id", rows=rows))


def keep_symbols(connection: duckdb.DuckDBPyConnection, rows: str, *, table: str, column: str) -> int:
    """Give every new text of a coded fact column a code; returns how many were new."""
    return _count(connection, _NEW_SYMBOLS.format(kind=literal(f"{table}.{column}"), text=column, rows=rows))


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    found = connection.execute(statement).fetchone()
    return 0 if found is None else int(found[0])

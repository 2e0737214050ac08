"""The tables of the warehouse file, and the columns of the fact files next to it."""

from typing import Final

from keepwell.warehouse.tables import CUSTOMERS, TABLES, Table

CODED: Final = {"events": ("name", "feature"), "sessions": ("device",)}
"""Fact columns stored as a code of `symbols`, kind `<table>.<column>`."""

FACT_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "events": {
        "customer": "INTEGER",
        "person": "INTEGER",
        "name": "INTEGER",
        "feature": "INTEGER",
        "occurred_at": "TIMESTAMP",
        "value": "DECIMAL(18,6)",
        "session_id": "VARCHAR",
        "received_at": "TIMESTAMP",
        "event_id": "VARCHAR",
        "properties": "VARCHAR",
        "source": "VARCHAR",
        "source_id": "VARCHAR",
        "synced_at": "TIMESTAMP",
    },
    "sessions": {
        "customer": "INTEGER",
        "person": "INTEGER",
        "device": "INTEGER",
        "started_at": "TIMESTAMP",
        "duration_seconds": "DECIMAL(18,6)",
        "action_count": "INTEGER",
        "session_id": "VARCHAR",
        "properties": "VARCHAR",
        "source": "VARCHAR",
        "source_id": "VARCHAR",
        "synced_at": "TIMESTAMP",
    },
}

_FIXED: Final = (
    "CREATE TABLE IF NOT EXISTS settings(name VARCHAR, value VARCHAR)",
    "CREATE TABLE IF NOT EXISTS customer_keys(customer INTEGER PRIMARY KEY, customer_id VARCHAR UNIQUE)",
    "CREATE TABLE IF NOT EXISTS person_keys(person INTEGER, person_id VARCHAR)",
    "CREATE TABLE IF NOT EXISTS symbols(code INTEGER, kind VARCHAR, text VARCHAR)",
    "CREATE TABLE IF NOT EXISTS customer_seen(customer INTEGER, seen_at TIMESTAMP, synced_at TIMESTAMP,"
    " updated_at TIMESTAMP)",
    "CREATE TABLE IF NOT EXISTS fact_days(table_name VARCHAR, day DATE, path VARCHAR, version VARCHAR, rows BIGINT)",
    "CREATE TABLE IF NOT EXISTS tombstones(table_name VARCHAR, key VARCHAR)",
    "CREATE TABLE IF NOT EXISTS feeds(table_name VARCHAR, source VARCHAR, columns VARCHAR, rows BIGINT,"
    " first_row_at TIMESTAMP, last_row_at TIMESTAMP, last_sync_at TIMESTAMP)",
    "CREATE TABLE IF NOT EXISTS loads(load_id INTEGER, path VARCHAR, sha256 VARCHAR, table_name VARCHAR,"
    " loaded_at TIMESTAMP, read BIGINT, added BIGINT, changed BIGINT, unchanged BIGINT, repeated BIGINT,"
    " deleted BIGINT, quarantined BIGINT)",
    "CREATE TABLE IF NOT EXISTS quarantine(load_id INTEGER, table_name VARCHAR, file VARCHAR, line BIGINT,"
    " column_name VARCHAR, value VARCHAR, reason VARCHAR, code VARCHAR, row VARCHAR, state VARCHAR)",
    "CREATE TABLE IF NOT EXISTS identity_links(unknown_id VARCHAR PRIMARY KEY, customer_id VARCHAR,"
    " linked_at TIMESTAMP)",
)


def attribute_columns(table: Table) -> dict[str, str]:
    """Every stored column of a small table but the customer, with its SQL type."""
    return {c.name: c.sql_type for c in table.all_columns if c.name != "customer_id"}


def stored_columns(table: Table) -> dict[str, str]:
    """The columns of a table as stored, in order, with their SQL types."""
    if table.facts:
        return FACT_COLUMNS[table.name]
    start = {"customer": "INTEGER"}
    if table is CUSTOMERS:
        start["valid_from"] = "TIMESTAMP"
    return start | attribute_columns(table)


def person_column(table: Table) -> bool:
    """Whether rows of the table name a person."""
    return table.column("person_id") is not None


def schema_statements() -> list[str]:
    """The statements that create what is missing in a warehouse file."""
    small = [t for t in TABLES.values() if not t.facts]
    return [*_FIXED, *(_create_table(t) for t in small), _customers_view()]


def _create_table(table: Table) -> str:
    name = "customer_history" if table is CUSTOMERS else table.name
    columns = ", ".join(f'"{c}" {kind}' for c, kind in stored_columns(table).items())
    return f"CREATE TABLE IF NOT EXISTS {name}({columns})"


def _customers_view() -> str:
    return (
        "CREATE OR REPLACE VIEW customers AS SELECT k.customer_id, h.* FROM customer_history h"
        " JOIN customer_keys k USING (customer)"
        " QUALIFY row_number() OVER (PARTITION BY h.customer ORDER BY h.valid_from DESC) = 1"
    )

"""Links made by hand: an id that a source uses and no customer has stands for a customer from then on."""

from datetime import datetime

import duckdb

from keepwell.warehouse.tables import CUSTOMERS, Table


def keep_link(connection: duckdb.DuckDBPyConnection, unknown_id: str, customer_id: str, now: datetime) -> bool:
    """Remember that an id stands for a customer; returns whether that is news."""
    found = connection.execute("SELECT customer_id FROM identity_links WHERE unknown_id = ?", [unknown_id]).fetchone()
    if found == (customer_id,):
        return False
    connection.execute("INSERT OR REPLACE INTO identity_links VALUES (?, ?, ?)", [unknown_id, customer_id, now])
    return True


def forget_link(connection: duckdb.DuckDBPyConnection, unknown_id: str) -> bool:
    """Forget a link for what is loaded from now on; returns whether there was one."""
    found = connection.execute("DELETE FROM identity_links WHERE unknown_id = ?", [unknown_id]).fetchone()
    return bool(found and found[0])


def linked_rows(connection: duckdb.DuckDBPyConnection, table: Table, rows: str) -> str:
    """Checked rows with the customer in place of each id that is linked to one; ids of customers are never linked."""
    if table is CUSTOMERS or not connection.execute("SELECT 1 FROM identity_links LIMIT 1").fetchone():
        return rows
    return (
        "(SELECT r.* REPLACE (coalesce(l.customer_id, r.customer_id) AS customer_id)"  # noqa: S608
        f" FROM {rows} r LEFT JOIN identity_links l ON l.unknown_id = r.customer_id)"
    )

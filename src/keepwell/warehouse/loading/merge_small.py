"""Upsert into the small tables: by key, the later sync wins, columns that the file lacks stay as they were."""

from keepwell.warehouse.keys import keep_people
from keepwell.warehouse.loading.rows import Intake, digest, keyed, known_rows, ranked, take_superseded
from keepwell.warehouse.schema import attribute_columns
from keepwell.warehouse.sql import listed, quoted
from keepwell.warehouse.tables import PEOPLE, Table


def merge_small(intake: Intake) -> None:
    """Put checked rows into a small table, and count what they did."""
    table, connection = intake.table, intake.warehouse.connection
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE incoming AS {_ranked(table, intake.present, keyed(table, known_rows(intake)))}"
    )
    take_superseded(intake, "incoming")
    if table is PEOPLE:
        keep_people(connection, "SELECT person_id FROM incoming")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE decided AS {_decided(table, intake.present)}")
    _count(intake)
    _store(intake)


def _ranked(table: Table, present: frozenset[str], rows: str) -> str:
    return ranked(rows, quoted(table.key), digest(table, only=present))


def _decided(table: Table, present: frozenset[str]) -> str:
    """The row that each key will have, and what became of it."""
    names = list(attribute_columns(table))
    merged = ", ".join(_merged(n, present | {table.key}) for n in names)
    effective = (
        f"SELECT i.customer, {merged}, e.{table.key} IS NOT NULL AS _existed, e.synced_at AS _old_sync,"  # noqa: S608
        f" e.deleted_at AS _old_deleted, i.synced_at < e.synced_at AS _stale, e._digest AS _old_digest"
        f" FROM incoming i LEFT JOIN (SELECT *, {digest(table)} AS _digest FROM {table.name}) e"
        f" ON e.{table.key} = i.{table.key} WHERE i._place = 1"
    )
    outcome = (
        "CASE WHEN NOT _existed THEN if(deleted_at IS NULL, 'added', 'deleted') WHEN _stale THEN 'stale'"
        f" WHEN _old_digest = {digest(table)} THEN 'same'"
        " WHEN deleted_at IS NOT NULL AND _old_deleted IS NULL THEN 'deleted' ELSE 'changed' END"
    )
    return f"SELECT *, {outcome} AS _outcome FROM ({effective})"  # noqa: S608


def _merged(name: str, present: frozenset[str]) -> str:
    column = quoted(name)
    if name == "synced_at":
        return "coalesce(i.synced_at, e.synced_at) AS synced_at"
    return f"i.{column}" if name in present else f"e.{column}"


def _count(intake: Intake) -> None:
    found = dict(
        intake.warehouse.connection.execute("SELECT _outcome, count(*) FROM decided GROUP BY _outcome").fetchall()
    )
    counts = intake.desk.counts
    counts.added += found.get("added", 0)
    counts.changed += found.get("changed", 0)
    counts.deleted += found.get("deleted", 0)
    counts.unchanged += found.get("same", 0) + found.get("stale", 0)


def _store(intake: Intake) -> None:
    """Write what changed; a row that is the same keeps at least the moment of its latest sync."""
    table, connection = intake.table, intake.warehouse.connection
    changed = "_outcome IN ('added', 'changed', 'deleted')"
    written = f"{changed} OR _outcome = 'same' AND synced_at IS DISTINCT FROM _old_sync"
    connection.execute(
        f"DELETE FROM {table.name} WHERE {table.key} IN (SELECT {table.key} FROM decided WHERE {written})"  # noqa: S608
    )
    names = listed(["customer", *attribute_columns(table)])
    connection.execute(f"INSERT INTO {table.name}({names}) SELECT {names} FROM decided WHERE {written}")  # noqa: S608

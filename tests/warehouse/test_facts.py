from datetime import date
from pathlib import Path

from keepwell.warehouse.facts import fact_days, write_day
from keepwell.warehouse.schema import FACT_COLUMNS
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import EVENTS

DAY = date(2026, 1, 1)


def events(*rows: tuple[int, int, str]) -> str:
    """A relation of events from (customer, name, event id)."""
    given = {"customer": "c", "name": "n", "event_id": "id", "occurred_at": "TIMESTAMP '2026-01-01 10:00'"}
    columns = ", ".join(f"{given.get(c, 'NULL')} AS {c}" for c in FACT_COLUMNS["events"])
    values = ", ".join(str(r) for r in rows) or "(0, 0, '')"
    return f"SELECT {columns} FROM (VALUES {values}) v(c, n, id) WHERE c > 0"


def keys(warehouse: Warehouse, *ids: str) -> None:
    for number, key in enumerate(ids, start=1):
        warehouse.connection.execute("INSERT INTO customer_keys VALUES (?, ?)", [number, key])
    warehouse.connection.execute("INSERT INTO symbols VALUES (1, 'events.name', 'login')")


def test_the_version_depends_on_the_content_alone(tmp_path: Path) -> None:
    found: list[str] = []
    for ids, rows in (
        (("a", "b"), ((1, 1, "e1"), (2, 1, "e2"))),
        (("a", "b"), ((2, 1, "e2"), (1, 1, "e1"))),
        (("b", "a"), ((2, 1, "e1"), (1, 1, "e2"))),
    ):
        with Warehouse.open(tmp_path / str(len(found)), zone="UTC") as warehouse:
            keys(warehouse, *ids)
            found.append(write_day(warehouse, EVENTS, DAY, events(*rows)).version)
    assert len(set(found)) == 1


def test_another_content_is_another_version(warehouse: Warehouse) -> None:
    keys(warehouse, "a", "b")
    first = write_day(warehouse, EVENTS, DAY, events((1, 1, "e1"), (2, 1, "e2")))
    second = write_day(warehouse, EVENTS, DAY, events((2, 1, "e1"), (1, 1, "e2")))
    assert first.version != second.version


def test_one_live_file_a_day_sorted_by_customer(warehouse: Warehouse) -> None:
    keys(warehouse, "a", "b")
    write_day(warehouse, EVENTS, DAY, events((2, 1, "e2")))
    fact = write_day(warehouse, EVENTS, DAY, events((2, 1, "e2"), (1, 1, "e9"), (1, 1, "e1")))
    assert fact_days(warehouse, EVENTS) == {DAY: fact}
    assert fact.rows == 3
    stored = warehouse.connection.execute("SELECT event_id FROM read_parquet(?)", [str(fact.path)]).fetchall()
    assert stored == [("e1",), ("e9",), ("e2",)]


def test_a_day_without_rows_is_dropped(warehouse: Warehouse) -> None:
    keys(warehouse, "a")
    write_day(warehouse, EVENTS, DAY, events((1, 1, "e1")))
    fact = write_day(warehouse, EVENTS, DAY, events())
    assert fact.rows == 0
    assert not fact.path.exists()
    assert fact_days(warehouse, EVENTS) == {}

from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from keepwell.warehouse.loading.dates import DateChoice, choose_formats, known_format, local_day, time_sql
from keepwell.warehouse.storage import Warehouse

from .helpers import at, csv_text, facts, load, put, versions

MOMENTS = (
    ("2026-01-31T10:00:00Z", "Europe/Berlin", None, at(2026, 1, 31, 10)),
    ("2026-01-31 10:00:00.5+0200", "Europe/Berlin", None, at(2026, 1, 31, 8, 0, 0, 500000)),
    ("2026-01-31 10:00 UTC", "Europe/Berlin", None, at(2026, 1, 31, 10)),
    ("2026-01-31t10:00:00z", "UTC", None, at(2026, 1, 31, 10)),
    ("2026-01-31T10:00:00-05", "UTC", None, at(2026, 1, 31, 15)),
    ("2026-07-01T10:00", "Europe/Berlin", None, at(2026, 7, 1, 8)),
    ("2026-01-31", "Europe/Berlin", None, at(2026, 1, 30, 23)),
    ("2026-01-31", "UTC", None, at(2026, 1, 31)),
    ("31.01.2026", "UTC", "DD.MM.YYYY", at(2026, 1, 31)),
    ("1.2.2026 09:30", "Europe/Berlin", "DD.MM.YYYY", at(2026, 2, 1, 8, 30)),
    ("02/01/2026", "UTC", "DD/MM/YYYY", at(2026, 1, 2)),
    ("02/01/2026 01:30 PM", "UTC", "MM/DD/YYYY", at(2026, 2, 1, 13, 30)),
    ("1767225600", "Europe/Berlin", "epoch", at(2026, 1, 1)),
    ("1767225600500", "UTC", "epoch_ms", at(2026, 1, 1, 0, 0, 0, 500000)),
    ("01-Feb-26", "UTC", "%d-%b-%y", at(2026, 2, 1)),
    ("20260201 1000 +0100", "UTC", "%Y%m%d %H%M %z", at(2026, 2, 1, 9)),
    ("infinity", "UTC", None, None),
    ("epoch", "UTC", None, None),
    ("2026-1-5", "UTC", None, None),
    ("2026-02-30", "UTC", None, None),
    ("1767225600", "UTC", None, None),
    ("31.01.2026", "UTC", None, None),
    ("99999999999999999999", "UTC", "epoch", None),
)


@pytest.mark.parametrize(("text", "zone", "form", "expected"), MOMENTS)
def test_moments(text: str, zone: str, form: str | None, expected: datetime | None) -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    sql = time_sql("t", zone=zone, format=form)
    assert connection.execute(f"SELECT {sql} FROM (SELECT ? AS t)", [text]).fetchone() == (expected,)


COLUMNS = (
    (["2026-01-01", "2026-01-31T10:00Z"], None, ""),
    (["31.01.2026", "01.02.2026", ""], "DD.MM.YYYY", ""),
    (["13/02/2026", "01/02/2026"], "DD/MM/YYYY", ""),
    (["02/13/2026", "01/02/2026"], "MM/DD/YYYY", ""),
    (["01/02/2026", "03/04/2026"], None, "could be DD/MM/YYYY or MM/DD/YYYY"),
    (["13/02/2026", "02/13/2026"], None, "could be DD/MM/YYYY or MM/DD/YYYY"),
    (["2026-01-01", "13/02/2026"], None, "mixes date formats (YYYY-MM-DD, DD/MM/YYYY or MM/DD/YYYY)"),
    (["soon", "13/02/2026"], "DD/MM/YYYY", ""),
    (["soon"], None, "is no date or time"),
)


@pytest.mark.parametrize(("texts", "form", "reason"), COLUMNS)
def test_the_whole_column_decides(texts: list[str], form: str | None, reason: str) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE raw AS SELECT nullif(unnest(?), '') AS t", [texts])
    choice = choose_formats(connection, "raw", {"due_at": "t"}).get("due_at", DateChoice())
    assert choice.format == form
    assert (reason or DateChoice().reason) in choice.reason


@pytest.mark.parametrize(
    ("text", "known"), [("iso", True), ("epoch_ms", True), ("%d.%m", True), ("DD-MM-YY", False), ("", False)]
)
def test_formats_that_a_mapping_may_name(text: str, known: bool) -> None:
    assert known_format(text) is known


@pytest.mark.parametrize(("zone", "day"), [("UTC", 1), ("Europe/Berlin", 2), ("America/New_York", 1)])
def test_event_days_are_days_in_the_zone(zone: str, day: int, tmp_path: Path) -> None:
    assert duckdb.execute(
        f"SELECT {local_day(chr(39).join(['TIMESTAMP ', '2026-01-01 23:30', '']), zone)}"
    ).fetchone() == (date(2026, 1, day),)
    with Warehouse.open(tmp_path / "data", zone=zone) as warehouse:
        load(warehouse, put(tmp_path / "in", "customers.csv", csv_text("customer_id,name", "c1,A")))
        load(warehouse, put(tmp_path, "events.csv", csv_text("customer_id,name,occurred_at", "c1,a,2026-01-01T23:30Z")))
        assert [d for _, d, *_ in versions(warehouse)] == [date(2026, 1, day)]
        assert facts(warehouse, "events", "occurred_at") == [(at(2026, 1, 1, 23, 30),)]


def test_dates_keep_their_day_in_any_zone(tmp_path: Path) -> None:
    rows = csv_text("customer_id,name,renewal_date", "c1,A,2026-03-29", "c2,B,2026-01-01T23:30:00Z")
    with Warehouse.open(tmp_path / "data", zone="Pacific/Auckland") as warehouse:
        load(warehouse, put(tmp_path, "customers.csv", rows))
        found = warehouse.connection.execute("SELECT renewal_date FROM customers ORDER BY customer_id").fetchall()
    assert found == [(date(2026, 3, 29),), (date(2026, 1, 2),)]

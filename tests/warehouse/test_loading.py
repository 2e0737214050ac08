"""Upserts, history, deletions, waiting rows, feeds: what a second file does to the first."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from keepwell.warehouse.loading import FileReport, ProgressStep, load_paths
from keepwell.warehouse.loading.files import InputFile
from keepwell.warehouse.loading.one_file import FileLoader
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import CUSTOMERS

from .helpers import NOW, at, content, csv_text, facts, load, put

CUSTOMER_COLUMNS = "customer_id,name,plan,synced_at"
TICKET = "ticket_id,customer_id,created_at,subject,synced_at,deleted_at"
EVENT = "event_id,customer_id,name,occurred_at,deleted_at"
SESSION = "session_id,customer_id,started_at,duration_seconds,synced_at,deleted_at"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "in"


def counts(report: FileReport) -> dict[str, int]:
    names = ("added", "changed", "unchanged", "repeated", "differing", "deleted", "quarantined")
    return {n: getattr(report, n) for n in names if getattr(report, n)}


def history(warehouse: Warehouse) -> list[tuple[int, str | None]]:
    return warehouse.connection.execute(
        "SELECT CAST(day(valid_from) AS INTEGER), plan FROM customer_history ORDER BY valid_from"
    ).fetchall()


def test_a_folder_loads_customers_before_what_needs_them(warehouse: Warehouse, folder: Path) -> None:
    put(folder, "events.csv", csv_text("customer_id,name,occurred_at", "c1,login,2026-01-01"))
    put(folder, "customers.csv", csv_text("customer_id,name", "c1,Acme"))
    report = load(warehouse, folder)
    assert [(f.table, counts(f)) for f in report.files] == [("customers", {"added": 1}), ("events", {"added": 1})]
    assert report.clean


def test_upsert_takes_the_later_sync_and_counts_what_happened(stocked: Warehouse, folder: Path) -> None:
    for stamp, subject, expected in (
        ("2026-01-02", "second", {"added": 1}),
        ("2026-01-01", "first", {"unchanged": 1}),
        ("2026-01-03", "third", {"changed": 1}),
        ("2026-01-04", "third", {"unchanged": 1}),
        ("", "fourth", {"changed": 1}),
    ):
        row = f"t1,c1,2026-01-01,{subject},{stamp},"
        report = load(stocked, put(folder, "tickets.csv", csv_text(TICKET, row)))
        assert counts(report.files[0]) == expected
    found = stocked.connection.execute("SELECT subject, synced_at FROM tickets").fetchall()
    assert found == [("fourth", at(2026, 1, 4))]


def test_columns_that_a_file_lacks_stay_as_they_were(stocked: Warehouse, folder: Path) -> None:
    full = csv_text("ticket_id,customer_id,created_at,subject,csat", "t1,c1,2026-01-01,Help,4")
    load(stocked, put(folder, "tickets.csv", full))
    load(stocked, put(folder, "tickets.csv", csv_text("ticket_id,customer_id,created_at,csat", "t1,c1,2026-01-01,")))
    assert stocked.connection.execute("SELECT subject, csat FROM tickets").fetchall() == [("Help", None)]


def test_a_deleted_row_is_hidden_not_lost(stocked: Warehouse, folder: Path) -> None:
    load(stocked, put(folder, "tickets.csv", csv_text(TICKET, "t1,c1,2026-01-01,Help,2026-01-01,")))
    report = load(stocked, put(folder, "tickets.csv", csv_text(TICKET, "t1,c1,2026-01-01,Help,2026-01-02,2026-01-02")))
    assert counts(report.files[0]) == {"deleted": 1}
    assert stocked.connection.execute("SELECT deleted_at FROM tickets").fetchall() == [(at(2026, 1, 2),)]


def test_attribute_history_has_a_row_only_where_something_changes(warehouse: Warehouse, folder: Path) -> None:
    for day, plan in ((1, "basic"), (2, "basic"), (5, "pro"), (6, "pro")):
        load(warehouse, put(folder, "customers.csv", csv_text(CUSTOMER_COLUMNS, f"c1,Acme,{plan},2026-01-0{day}")))
    assert history(warehouse) == [(1, "basic"), (5, "pro")]
    found = warehouse.connection.execute("SELECT customer_id, plan FROM customers").fetchall()
    assert found == [("c1", "pro")]


def test_a_late_state_from_in_between_ends_when_the_old_one_was_seen_again(warehouse: Warehouse, folder: Path) -> None:
    for day, plan in ((1, "basic"), (4, "basic"), (6, "basic"), (2, "pro")):
        load(warehouse, put(folder, "customers.csv", csv_text(CUSTOMER_COLUMNS, f"c1,Acme,{plan},2026-01-0{day}")))
    assert history(warehouse) == [(1, "basic"), (2, "pro"), (4, "basic")]


def test_without_a_stamp_history_starts_at_the_load(warehouse: Warehouse, folder: Path) -> None:
    path = put(folder, "customers.csv", csv_text("customer_id,name", "c1,Acme"))
    load(warehouse, path)
    report = load(warehouse, path, now=datetime(2026, 5, 1, tzinfo=UTC))
    assert counts(report.files[0]) == {"unchanged": 1}
    found = warehouse.connection.execute("SELECT valid_from FROM customer_history").fetchall()
    assert found == [(NOW.replace(tzinfo=None),)]


def test_a_repeated_event_is_kept_once_as_it_came_first(stocked: Warehouse, folder: Path) -> None:
    first = csv_text(EVENT, "e1,c1,login,2026-01-01,", "e1,c1,logout,2026-01-01,", "e1,c1,login,2026-01-03,")
    second = csv_text(EVENT, "e1,c2,other,2026-01-01,", "e1,c1,login,2026-01-05,", "e2,c1,login,2026-01-05,")
    assert counts(load(stocked, put(folder, "events.csv", first)).files[0]) == {"added": 1, "differing": 2}
    report = load(stocked, put(folder, "events.csv", second))
    assert counts(report.files[0]) == {"added": 1, "differing": 2}
    assert report.notes[0].endswith("2 events have the id of an earlier one and other values; the first one stays")
    assert facts(stocked, "events", "event_id, customer_id, occurred_at") == [
        ("e1", "c1", at(2026, 1, 1)),
        ("e2", "c1", at(2026, 1, 5)),
    ]


def test_an_event_delivered_again_differs_only_when_it_says_something_else(stocked: Warehouse, folder: Path) -> None:
    header = "event_id,customer_id,name,occurred_at,received_at,source,value,plan"
    again = "e1,c1,login,2026-01-01,2026-01-0{day},{source},{value},{plan}"
    put(folder, "events.csv", csv_text(header, again.format(day=1, source="a", value="2", plan="pro")))
    assert counts(load(stocked, folder).files[0]) == {"added": 1}
    rows = [
        again.format(**row)
        for row in (
            {"day": 2, "source": "b", "value": "2.0", "plan": "pro"},
            {"day": 1, "source": "a", "value": "3", "plan": "pro"},
            {"day": 1, "source": "a", "value": "2", "plan": "max"},
        )
    ]
    path = put(folder, "events.csv", csv_text(header, *rows))
    for _ in range(2):
        assert counts(load(stocked, path).files[0]) == {"repeated": 1, "differing": 2}
    assert facts(stocked, "events", "event_id, value") == [("e1", 2)]


def test_equal_events_without_id_stay_apart_and_a_repeated_file_adds_nothing(stocked: Warehouse, folder: Path) -> None:
    path = put(folder, "events.csv", csv_text("customer_id,name,occurred_at", *["c1,login,2026-01-01"] * 2))
    assert counts(load(stocked, path).files[0]) == {"added": 2}
    assert counts(load(stocked, path).files[0]) == {"repeated": 2}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1, 0)])
@pytest.mark.parametrize("table", ["events", "sessions"])
def test_a_deleted_fact_never_comes_back(table: str, order: tuple[int, ...], stocked: Warehouse, folder: Path) -> None:
    header, rest = (EVENT, "login,2026-01-01,") if table == "events" else (SESSION, "2026-01-01,5,,")
    live, deletion = f"x1,c1,{rest}", f"x1,c1,{rest}2026-02-01"
    files = [csv_text(header, live, f"x2,c1,{rest}"), csv_text(header, deletion)]
    for position in order:
        load(stocked, put(folder, f"{table}.csv", files[position]))
    key = "event_id" if table == "events" else "session_id"
    assert facts(stocked, table, key) == [("x2",)]


def test_a_session_moves_to_its_new_day(stocked: Warehouse, folder: Path) -> None:
    for row in ("s1,c1,2026-01-01,5,2026-01-01,", "s1,c1,2026-01-03,6,2026-01-03,", "s1,c1,2026-01-02,7,2026-01-02,"):
        load(stocked, put(folder, "sessions.csv", csv_text(SESSION, row)))
    assert facts(stocked, "sessions", "started_at, duration_seconds") == [(at(2026, 1, 3), 6)]


def test_sessions_of_one_file_on_two_days_keep_the_last_line(stocked: Warehouse, folder: Path) -> None:
    rows = csv_text(SESSION, "s1,c1,2026-01-01,5,,", "s1,c1,2026-01-02,6,,", "s1,c1,2026-01-02,6,,")
    report = load(stocked, put(folder, "sessions.csv", rows))
    assert counts(report.files[0]) == {"added": 1, "repeated": 1, "quarantined": 1}
    assert (report.sample[0].line, report.sample[0].code) == (2, "superseded")
    assert facts(stocked, "sessions", "started_at") == [(at(2026, 1, 2),)]


def test_a_load_shows_its_own_bad_rows_and_not_those_of_an_earlier_file_of_that_name(
    stocked: Warehouse, folder: Path
) -> None:
    header = "ticket_id,customer_id,created_at,csat"
    first = load(stocked, put(folder, "tickets.csv", csv_text(header, *(f"t{i},c1,no date,5" for i in range(6)))))
    assert len(first.sample) == 5
    second = load(stocked, put(folder, "tickets.csv", csv_text(header, "t9,c1,2026-01-01,-3")))
    assert [(row.line, row.column, row.value) for row in second.sample] == [(2, "csat", "-3")]


def test_rows_of_unknown_customers_load_once_the_customer_is_there(stocked: Warehouse, folder: Path) -> None:
    events = "customer_id,name,occurred_at,value"
    put(folder, "events.csv", csv_text(events, *["c9,login,31.01.2026,1.1"] * 2, "c1,login,31.01.2026,2"))
    put(folder, "tickets.csv", csv_text("ticket_id,customer_id,created_at,colour", "t1,c9,2026-01-01,red"))
    assert load(stocked, folder).quarantined == 3
    report = load(stocked, put(folder / "late", "customers.csv", csv_text("customer_id,name", "c9,Late")))
    assert report.resolved == 3
    assert facts(stocked, "events", "customer_id, occurred_at, value") == [
        ("c1", at(2026, 1, 31), 2),
        ("c9", at(2026, 1, 31), Decimal("1.1")),
        ("c9", at(2026, 1, 31), Decimal("1.1")),
    ]
    assert stocked.connection.execute("SELECT properties FROM tickets").fetchall() == [('{"colour":"red"}',)]
    assert stocked.connection.execute("SELECT DISTINCT state FROM quarantine").fetchall() == [("resolved",)]
    again = load(stocked, folder)
    assert [counts(f) for f in again.files] == [{"unchanged": 1}, {"repeated": 3}]


def test_what_waits_is_retried_even_when_the_load_of_its_customer_was_interrupted(
    stocked: Warehouse, folder: Path
) -> None:
    load(stocked, put(folder, "tickets.csv", csv_text("ticket_id,customer_id,created_at", "t1,c9,2026-01-01")))
    customers = put(folder, "customers.csv", csv_text("customer_id,name", "c9,Late"))
    FileLoader(stocked, NOW).load(InputFile(customers, "delimited", CUSTOMERS))
    assert load(stocked, customers).resolved == 1
    assert stocked.connection.execute("SELECT ticket_id FROM tickets").fetchall() == [("t1",)]


def test_rows_that_a_corrected_file_gets_right_are_resolved(stocked: Warehouse, folder: Path) -> None:
    header = "ticket_id,customer_id,created_at"
    load(stocked, put(folder, "tickets.csv", csv_text(header, "t1,c1,soon", "t2,c1,soon")))
    load(stocked, put(folder, "tickets.csv", csv_text(header, "t1,c1,2026-01-01", "t2,c1,later")))
    found = stocked.connection.execute("SELECT line, value, state FROM quarantine ORDER BY load_id, line").fetchall()
    assert found == [(2, "soon", "resolved"), (3, "soon", "open"), (3, "later", "open")]


def test_feeds_say_which_columns_came_and_how_fresh_they_are(stocked: Warehouse, folder: Path) -> None:
    load(stocked, put(folder, "tickets.csv", csv_text(TICKET + ",source", "t1,c1,2026-01-05,,2026-04-01,,desk")))
    load(
        stocked,
        put(folder, "tickets.csv", csv_text("ticket_id,customer_id,created_at,csat,source", "t2,c1,2026-01-02,4,desk")),
    )
    load(stocked, put(folder, "invoices.csv", "invoice_id,customer_id,issued_at\n"))
    found = stocked.connection.execute(
        "SELECT * FROM feeds WHERE table_name <> 'customers' ORDER BY table_name"
    ).fetchall()
    names = ["ticket_id", "customer_id", "subject", "csat", "created_at", "source", "synced_at", "deleted_at"]
    moment = NOW.replace(tzinfo=None)
    assert [(t, s, json.loads(c), *rest) for t, s, c, *rest in found] == [
        ("invoices", "file", ["invoice_id", "customer_id", "issued_at"], 0, None, None, moment),
        ("tickets", "desk", names, 2, at(2026, 1, 2), at(2026, 1, 5), at(2026, 4, 1)),
    ]


def test_service_metrics_need_no_customer_and_are_measured_once(stocked: Warehouse, folder: Path) -> None:
    header = "name,measured_at,value,customer_id"
    load(
        stocked,
        put(folder, "service_metrics.csv", csv_text(header, "latency,2026-01-01,5,", "latency,2026-01-01,6,c1")),
    )
    load(stocked, put(folder, "service_metrics.csv", csv_text(header, "latency,2026-01-01,7,")))
    found = stocked.connection.execute("SELECT customer, value FROM service_metrics ORDER BY value").fetchall()
    assert [(c is None, int(v)) for c, v in found] == [(False, 6), (True, 7)]


def test_every_load_is_on_record(stocked: Warehouse, folder: Path) -> None:
    path = put(folder, "tickets.csv", csv_text(TICKET, "t1,c1,2026-01-01,Help,,", "t2,c1,never,Help,,"))
    load(stocked, path)
    found = stocked.connection.execute(
        "SELECT load_id, path, read, added, quarantined FROM loads ORDER BY 1"
    ).fetchall()
    assert found[-1] == (2, str(path), 2, 1, 1)


def test_progress_names_file_stage_and_days(stocked: Warehouse, folder: Path) -> None:
    steps: list[ProgressStep] = []
    rows = csv_text("customer_id,name,occurred_at", "c1,a,2026-01-01", "c1,a,2026-01-02")
    load_paths(stocked, [put(folder, "events.csv", rows)], now=NOW, progress=steps.append)
    assert [(s.stage, s.done, s.total) for s in steps] == [
        ("reading", 0, 1), ("checking", 0, 1), ("writing", 1, 2), ("writing", 2, 2), ("done", 1, 1),
    ]  # fmt: skip


def test_loading_the_same_files_again_changes_nothing(stocked: Warehouse, folder: Path) -> None:
    put(folder, "customers.csv", csv_text(CUSTOMER_COLUMNS, "c1,Acme,basic,2026-01-01", "c3,Gamma,,"))
    put(folder, "tickets.csv", csv_text(TICKET, "t1,c1,2026-01-01,a,,", "t1,c1,2026-01-01,b,,", "t2,c8,2026-01-01,,,"))
    put(
        folder,
        "events.csv",
        csv_text(EVENT, "e1,c1,a,2026-01-01,", ",c1,a,2026-01-01,", ",c1,a,2026-01-01,", "e2,c1,a,x,"),
    )
    put(folder, "sessions.csv", csv_text(SESSION, "s1,c1,2026-01-01,5,,", "s2,c1,2026-01-01,5,2026-01-01,2026-01-02"))
    load(stocked, folder)
    before = content(stocked)
    for _ in range(2):
        load(stocked, folder)
        assert content(stocked) == before

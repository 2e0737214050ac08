"""Rows that wait: tried again, corrected, linked; twice is like once."""

from datetime import timedelta

import pytest

from keepwell.services.loading import load_files
from keepwell.services.published import (
    customer_timeline,
    data_status,
    link_identity,
    quarantine_rows,
    retry_quarantine,
    unlink_identity,
)
from keepwell.services.workspace import Workspace, WorkspaceError

from .conftest import NOW, put

LATER = NOW + timedelta(days=3)


def waiting(workspace: Workspace) -> set[str]:
    return {row.row["ticket_id"] for row in quarantine_rows(workspace).rows}


def tickets(workspace: Workspace, customer: str) -> set[str]:
    return {entry.ref for entry in customer_timeline(workspace, customer, kinds=("ticket",)).entries}


def test_a_link_loads_what_waited_and_what_comes_later(bare: Workspace) -> None:
    report = link_identity(bare, "C_1", "c-1", now=LATER)
    assert (report.rows, report.problems) == (1, ())
    assert tickets(bare, "c-1") == {"t-1", "t-2"}
    assert waiting(bare) == {"t-3", "t-4"}
    assert [(link.unknown_id, link.customer_id) for link in data_status(bare).links] == [("C_1", "c-1")]
    load_files(
        bare, paths=[put(bare, "tickets.csv", "ticket_id,customer_id,created_at", "t-9,C_1,2026-06-09")], now=LATER
    )
    again = link_identity(bare, "C_1", "c-1", now=LATER)
    assert again.rows == 0
    assert tickets(bare, "c-1") == {"t-1", "t-2", "t-9"}


def test_a_link_wants_a_customer_and_an_id_that_is_none(bare: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no customer 'c-9'"):
        link_identity(bare, "C_1", "c-9", now=LATER)
    with pytest.raises(WorkspaceError, match="'c-2' is a customer itself"):
        link_identity(bare, "c-2", "c-1", now=LATER)


def test_an_unlinked_id_waits_again(bare: Workspace) -> None:
    link_identity(bare, "C_1", "c-1", now=LATER)
    assert unlink_identity(bare, "C_1")
    assert not unlink_identity(bare, "C_1")
    load_files(
        bare, paths=[put(bare, "tickets.csv", "ticket_id,customer_id,created_at", "t-9,C_1,2026-06-09")], now=LATER
    )
    retry_quarantine(bare, now=LATER, table="tickets")
    assert "t-9" in waiting(bare)
    assert tickets(bare, "c-1") == {"t-1", "t-2"}


def test_a_corrected_row_goes_in_once(bare: Workspace) -> None:
    (row,) = quarantine_rows(bare, code=None, column="created_at").rows
    assert (row.table, row.line, row.value) == ("tickets", 5, "yesterday")
    corrected = {row.key: {"created_at": "2026-06-04 08:00"}}
    report = retry_quarantine(bare, now=LATER, corrections=corrected)
    assert (report.tried, report.resolved, report.waiting) == (1, 1, 2)
    assert tickets(bare, "c-2") == {"t-4"}
    again = retry_quarantine(bare, now=LATER, corrections=corrected)
    assert (again.tried, again.resolved) == (0, 0)


def test_a_row_that_is_still_wrong_keeps_its_place_and_gets_its_new_reason(bare: Workspace) -> None:
    (row,) = quarantine_rows(bare, column="created_at").rows
    corrections = {row.key: {"created_at": "2026-06-04", "csat": "eleven"}}
    report = retry_quarantine(bare, now=LATER, corrections=corrections)
    assert (report.tried, report.resolved, report.waiting) == (1, 0, 3)
    (now,) = quarantine_rows(bare, column="csat").rows
    assert (now.file, now.line, now.value) == (row.file, row.line, "eleven")
    assert retry_quarantine(bare, now=LATER, corrections={now.key: {"csat": "3"}}).resolved == 1
    assert tickets(bare, "c-2") == {"t-4"}


def test_trying_again_is_no_delivery(bare: Workspace) -> None:
    def synced() -> object:
        (table,) = (t for t in data_status(bare).tables if t.table == "tickets")
        return [source.last_sync_at for source in table.sources]

    before = synced()
    retry_quarantine(bare, now=LATER)
    link_identity(bare, "C_1", "c-1", now=LATER)
    assert synced() == before


def test_rows_that_a_later_line_contradicts_are_tried_by_name_only(bare: Workspace) -> None:
    lines = ("ticket_id,customer_id,created_at,csat", "t-1,c-1,2026-06-01 10:00,1", "t-1,c-1,2026-06-01 10:00,2")
    load_files(bare, paths=[put(bare, "tickets.csv", *lines)], now=LATER)
    retry_quarantine(bare, now=LATER)
    (row,) = quarantine_rows(bare, code="superseded").rows
    assert "CSAT 2" in str(customer_timeline(bare, "c-1", kinds=("ticket",)).entries[0].detail)
    assert retry_quarantine(bare, now=LATER, keys=[row.key]).resolved == 1
    assert "CSAT 1" in str(customer_timeline(bare, "c-1", kinds=("ticket",)).entries[0].detail)


def test_an_unknown_table_is_named(bare: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no table 'ticket'"):
        retry_quarantine(bare, now=LATER, table="ticket")


def test_broken_lines_are_not_tried(bare: Workspace) -> None:
    load_files(bare, paths=[put(bare, "tickets.ndjson", "{broken")], now=LATER)
    report = retry_quarantine(bare, now=LATER)
    assert report.problems == ()
    assert report.waiting == 4


def test_closest_customers_are_offered_with_the_reason(bare: Workspace) -> None:
    unmatched = {found.unknown_id: found for found in data_status(bare).unmatched}
    assert set(unmatched) == {"C_1", "nobody"}
    best = unmatched["C_1"].closest[0]
    assert (best.customer_id, best.why) == ("c-1", "the same id but for case and punctuation")
    assert unmatched["nobody"].closest == ()


NEAR_NAMES = {
    "Lang & Dahl": ("l-1", "the name has all words of the id"),
    "LANG+DAHL": ("l-1", "the name has all words of the id"),
    "Lang & Dahl Properties GmbH Hamburg": ("l-1", "the id has all words of the name"),
    "Dahl Lang Immobilien": ("l-1", "both have the words dahl, lang"),
    "Muller Estates": ("m-1", "the name is the id"),
    "Mullr Estates": ("m-1", "a name that differs in one or two letters"),
    "Properties": None,
    "North Properties": None,
    "株式会社": None,
}


def test_names_that_share_their_rare_words_come_near(bare: Workspace) -> None:
    many = [f"p-{i},{name} Properties" for i, name in enumerate(("Oak", "Elm", "Ash", "Fir", "Yew", "Bay", "Fig"))]
    names = ["l-1,Lang & Dahl Properties", "l-2,Langer Properties", "m-1,Müller Estates"]
    rows = [f"t-9{i},{unknown},2026-06-09" for i, unknown in enumerate(NEAR_NAMES)]
    files = [
        put(bare, "customers.csv", "customer_id,name", *names, *many),
        put(bare, "tickets.csv", "ticket_id,customer_id,created_at", *rows),
    ]
    load_files(bare, paths=files, now=LATER)
    retry_quarantine(bare, now=LATER)
    found = {
        one.unknown_id: [(near.customer_id, near.why) for near in one.closest] for one in data_status(bare).unmatched
    }
    assert {unknown: found[unknown] for unknown in NEAR_NAMES} == {
        unknown: [] if near is None else [near] for unknown, near in NEAR_NAMES.items()
    }

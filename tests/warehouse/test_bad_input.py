"""Bad input: each case ends in a clear message, what is good loads, nothing is lost, nothing is raised."""

import gzip
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keepwell.warehouse.storage import Warehouse

from .helpers import load, put

EVENT = "customer_id,name,occurred_at"
TICKET = "ticket_id,customer_id,created_at,csat"
GOOD = "c1,login,2026-01-01"


@dataclass(frozen=True)
class Case:
    """A file, how many of its rows load, and what the report and the quarantine say."""

    name: str
    file: str
    content: str | bytes
    added: int = 0
    bad: tuple[tuple[int, str | None, str], ...] = ()
    says: str = ""
    reasons: tuple[str, ...] = field(default=())


def lines(*rows: str, end: str = "\n") -> str:
    return end.join(rows) + end


CASES = (
    Case("an empty file", "events.csv", "", says="the file is empty"),
    Case("an empty ndjson file", "events.ndjson", "", says="the file is empty"),
    Case("an empty parquet file", "events.parquet", "", says="the file is empty"),
    Case("blank lines only", "events.csv", "\n\n  \n", says="the file is empty"),
    Case("a header only", "events.csv", lines(EVENT), says="no rows, only a header"),
    Case("a header without line end", "events.csv", EVENT, says="no rows, only a header"),
    Case("no line end at the end", "events.csv", f"{EVENT}\n{GOOD}", added=1),
    Case("another delimiter", "events.csv", lines(EVENT, GOOD).replace(",", ";"), added=1),
    Case("tabs", "events.csv", lines(EVENT, GOOD).replace(",", "\t"), added=1),
    Case("vertical bars", "events.csv", lines(EVENT, GOOD).replace(",", "|"), added=1),
    Case(
        "an odd delimiter",
        "events.csv",
        lines(EVENT, GOOD).replace(",", "~"),
        says="no known column in line 1 (one column",
    ),
    Case("foreign columns", "events.csv", "foo,bar\n1,2\n", says="no known column in line 1 (read with comma"),
    Case(
        "no required column",
        "events.csv",
        "customer_id,name,ocurred_at\nc1,a,2026-01-01\n",
        says="required columns are missing for events: occurred_at; did you mean 'ocurred_at'?",
    ),
    Case("headers as people write them", "events.csv", "Customer ID,NAME,Occurred-At\nc1,a,2026-01-01\n", added=1),
    Case(
        "a line for the spreadsheet",
        "events.csv",
        lines("sep=;", EVENT.replace(",", ";"), GOOD.replace(",", ";")),
        added=1,
    ),
    Case("NUL bytes", "events.csv", lines(EVENT, "c1,lo\0gin,2026-01-01", GOOD), 1, ((2, None, "nul"),)),
    Case(
        "NUL bytes in JSON",
        "events.ndjson",
        lines('{"customer_id":"c1","name":"a","occurred_at":"2026-01-01"}', '{"customer_id":"c1\0"}'),
        1,
        ((2, None, "nul"),),
    ),
    Case(
        "a line of 10 MB",
        "events.csv",
        lines(EVENT, "c1," + "x" * 10_000_000 + ",2026-01-01", GOOD),
        1,
        ((2, None, "long_line"),),
        reasons=("a line of more than 2,000,000 bytes",),
    ),
    Case(
        "a JSON line of 10 MB",
        "events.ndjson",
        lines(
            '{"customer_id":"' + "x" * 10_000_000 + '"}', '{"customer_id":"c1","name":"a","occurred_at":"2026-01-01"}'
        ),
        1,
        ((1, None, "long_line"),),
    ),
    Case(
        "too few and too many fields",
        "events.csv",
        lines(EVENT, "c1,login", GOOD, GOOD + ",more", "", "c1,out,2026-01-02"),
        2,
        ((2, None, "fields"), (4, None, "fields")),
        reasons=("2 fields, but the header has 3", "4 fields, but the header has 3"),
    ),
    Case(
        "a quote that is never closed",
        "events.csv",
        lines(EVENT, 'c1,"login,2026-01-01', GOOD, "c1,b,2026-01-01"),
        2,
        ((2, None, "quotes"),),
    ),
    Case(
        "text after a closing quote",
        "events.csv",
        lines(EVENT, 'c1,"lo"gin,2026-01-01', GOOD, "c1"),
        1,
        ((2, None, "quotes"), (4, None, "fields")),
    ),
    Case(
        "lines inside quotes count",
        "events.csv",
        lines(EVENT, 'c1,"a\nb\n\nc",2026-01-01', "c1,x,never"),
        1,
        ((6, "occurred_at", "invalid"),),
    ),
    Case(
        "any line end inside quotes",
        "events.csv",
        lines(EVENT, 'c1,"a\nb\r\nc\rd",2026-01-01', 'c1,"x\r",2026-01-01', "c1,x", end="\r\n"),
        2,
        ((6, None, "fields"),),
    ),
    Case(
        "blank lines count", "events.csv", lines(EVENT, "", GOOD, "", "c1,x,never"), 1, ((5, "occurred_at", "invalid"),)
    ),
    Case(
        "mixed line ends",
        "events.csv",
        f"{EVENT}\r\n{GOOD}\n" + "c1,b,2026-01-01\r\nc1,x,never\r\n",
        2,
        ((4, "occurred_at", "invalid"),),
    ),
    Case(
        "old Mac line ends",
        "events.csv",
        lines(EVENT, GOOD, "c1,x,never", end="\r"),
        1,
        ((3, "occurred_at", "invalid"),),
    ),
    Case(
        "dates in three formats",
        "events.csv",
        lines(EVENT, GOOD, "c1,a,31.01.2026", "c1,a,01/31/2026"),
        1,
        ((3, "occurred_at", "invalid"), (4, "occurred_at", "invalid")),
        reasons=("mixes date formats",),
    ),
    Case(
        "dates that could be two things",
        "events.csv",
        lines(EVENT, "c1,a,01/02/2026", "c1,a,03/04/2026"),
        0,
        ((2, "occurred_at", "invalid"), (3, "occurred_at", "invalid")),
        reasons=("could be DD/MM/YYYY or MM/DD/YYYY",),
    ),
    Case(
        "days that do not exist",
        "events.csv",
        lines(EVENT, GOOD, "c1,a,2026-02-30", "c1,a,2026-01-01T25:00"),
        1,
        ((3, "occurred_at", "invalid"), (4, "occurred_at", "invalid")),
    ),
    Case(
        "years out of this world",
        "events.csv",
        lines(EVENT, GOOD, "c1,a,0001-01-01"),
        1,
        ((3, "occurred_at", "range"),),
    ),
    Case(
        "ids that are longer than the workspace keeps",
        "events.csv",
        lines(EVENT, f"{'c' * 256},login,2026-01-01", f"{'c' * 255},login,2026-01-01"),
        bad=((2, "customer_id", "long"), (3, "customer_id", "unknown_customer")),
        reasons=("has more than 255 characters", "no customer has this id"),
    ),
    Case(
        "negative money",
        "invoices.csv",
        lines("invoice_id,customer_id,issued_at,amount_due", "i1,c1,2026-01-01,-5", "i2,c1,2026-01-01,5"),
        1,
        ((2, "amount_due", "range"),),
        reasons=("must be at least 0",),
    ),
    Case(
        "money in words and with commas",
        "invoices.csv",
        lines(
            "invoice_id;customer_id;issued_at;amount_due",
            "i1;c1;2026-01-01;ten",
            "i2;c1;2026-01-01;1.234,56",
            "i3;c1;2026-01-01;1e400",
        ),
        0,
        ((2, "amount_due", "invalid"), (3, "amount_due", "invalid"), (4, "amount_due", "invalid")),
    ),
    Case(
        "whole numbers with a fraction",
        "tickets.csv",
        lines("ticket_id,customer_id,created_at,reopen_count", "t1,c1,2026-01-01,1.5", "t2,c1,2026-01-01,2.0"),
        1,
        ((2, "reopen_count", "invalid"),),
    ),
    Case(
        "a number out of its range",
        "tickets.csv",
        lines(TICKET, "t1,c1,2026-01-01,6", "t2,c1,2026-01-01,5"),
        1,
        ((2, "csat", "range"),),
        reasons=("must be at most 5",),
    ),
    Case(
        "words that are not allowed",
        "interactions.csv",
        lines("interaction_id,customer_id,kind,occurred_at", "x1,c1,Fax,2026-01-01", "x2,c1,QBR,2026-01-01"),
        1,
        ((2, "kind", "invalid"),),
        reasons=("must be one of: meeting, call, email, note, qbr, chat",),
    ),
    Case(
        "neither yes nor no",
        "tickets.csv",
        lines("ticket_id,customer_id,created_at,is_escalated", "t1,c1,2026-01-01,maybe", "t2,c1,2026-01-01,YES"),
        1,
        ((2, "is_escalated", "invalid"),),
    ),
    Case(
        "required but empty",
        "tickets.csv",
        lines(TICKET, ",c1,2026-01-01,", "t2,,2026-01-01,", "t3,c1,,"),
        0,
        ((2, "ticket_id", "required"), (3, "customer_id", "required"), (4, "created_at", "required")),
    ),
    Case(
        "duplicate keys",
        "tickets.csv",
        lines(TICKET, "t1,c1,2026-01-01,1", "t1,c1,2026-01-01,2", "t1,c1,2026-01-01,2"),
        1,
        ((2, "ticket_id", "superseded"),),
        reasons=("line 4 of this file has the same key",),
    ),
    Case(
        "a customer id that exists nowhere",
        "tickets.csv",
        lines(TICKET, "t1,nobody,2026-01-01,1", "t2,c2,2026-01-01,1"),
        1,
        ((2, "customer_id", "unknown_customer"),),
    ),
    Case(
        "broken JSON",
        "events.ndjson",
        lines(
            '{"customer_id":"c1","name":"a","occurred_at":"2026-01-01"}', "{oops", "[1]", "3", "", '{"customer_id":"c1"'
        ),
        1,
        ((2, None, "json"), (3, None, "json"), (4, None, "json"), (6, None, "json")),
    ),
    Case(
        "properties that are no object",
        "events.csv",
        lines(EVENT + ",properties", GOOD + ",[1]", GOOD + ',"{""a"":1}"'),
        1,
        ((2, "properties", "invalid"),),
    ),
    Case(
        "a damaged line in UTF-8",
        "events.csv",
        lines(EVENT, "c1,é,2026-01-01").encode() + b"c1,\xff\xfe,2026-01-01\n",
        1,
        ((3, None, "encoding"),),
    ),
    Case("not a Parquet file", "events.parquet", "PAR1 or so", says="not a Parquet file"),
    Case(
        "a damaged gzip file",
        "events.csv.gz",
        gzip.compress(lines(EVENT, GOOD).encode())[:-12],
        says="the gzip file is damaged",
    ),
    Case("a column twice", "events.csv", lines(EVENT + ",Name", GOOD + ",x"), 1, says="column 'Name' appears twice"),
    Case(
        "a name that is no table", "event.csv", lines(EVENT, GOOD), says="no table has this name; did you mean events?"
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_bad_input(case: Case, stocked: Warehouse, tmp_path: Path) -> None:
    report = load(stocked, put(tmp_path / "in", case.file, case.content))
    assert sum(f.added for f in report.files) == case.added
    found = stocked.connection.execute("SELECT line, column_name, code FROM quarantine ORDER BY line").fetchall()
    assert tuple(found) == case.bad
    assert report.quarantined == len(case.bad)
    assert case.says in "\n".join(report.problems)
    told = "\n".join(r for (r,) in stocked.connection.execute("SELECT reason FROM quarantine").fetchall())
    for reason in case.reasons:
        assert reason in told
    for file in report.files:
        parts = (
            file.added,
            file.changed,
            file.unchanged,
            file.repeated,
            file.differing,
            file.deleted,
            file.quarantined,
        )
        assert file.read == sum(parts)


@pytest.mark.parametrize("case", [c for c in CASES if c.bad], ids=lambda c: c.name)
def test_a_bad_row_is_kept_once_however_often_its_file_is_loaded(
    case: Case, stocked: Warehouse, tmp_path: Path
) -> None:
    path = put(tmp_path / "in", case.file, case.content)
    load(stocked, path)
    load(stocked, path)
    assert stocked.connection.execute("SELECT count(*) FROM quarantine").fetchone() == (len(case.bad),)


def test_one_unreadable_file_does_not_stop_the_others(stocked: Warehouse, tmp_path: Path) -> None:
    put(tmp_path / "in", "events.parquet", b"no")
    put(tmp_path / "in", "tickets.csv", lines(TICKET, "t1,c1,2026-01-01,1"))
    put(tmp_path / "in", "notes.md", "about these files")
    report = load(stocked, tmp_path / "in", tmp_path / "nowhere")
    assert [f.table for f in report.files] == ["tickets"]
    assert len(report.problems) == 2
    assert "no such file or folder" in "\n".join(report.problems)
    assert report.notes == (f"{tmp_path / 'in' / 'notes.md'}: not a data file, passed over",)

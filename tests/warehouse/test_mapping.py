from pathlib import Path

import pytest

from keepwell.model.problems import DefinitionError
from keepwell.warehouse.loading import Mapping, read_mapping
from keepwell.warehouse.storage import Warehouse

from .helpers import at, facts, load, put

MAPPING = """\
defaults: {zone: Europe/Berlin, decimal: comma}
files:
  - file: "kunden*.csv"
    targets:
      - table: customers
        columns:
          customer_id: Kunden-Nr
          name: {from: Firma}
          status: {from: Status, lookup: {Aktiv: active, gekündigt: churned}, default: prospect}
          renewal_date: {from: Verlängerung, format: DD.MM.YYYY}
          currency: {constant: EUR}
          mrr: Umsatz
          arr: {expr: "number(replace(Umsatz, ',', '.')) * 12"}
          phone: {from: MA, cast: integer}
          traits.farbe: Farbe
      - table: subscriptions
        where: MA > 5 and Status = 'Aktiv'
        columns:
          subscription_id: {expr: "concat('sub-', \\"Kunden-Nr\\")"}
          customer_id: Kunden-Nr
          started_at: {from: Start, format: "%d.%m.%Y %H:%M"}
          ended_at: {from: Ende, format: epoch}
"""
FILE = """\
Kunden-Nr;Firma;Status;Verlängerung;Umsatz;MA;Start;Farbe
1;Müller;Aktiv;01.02.2026;1.234,50;12;01.07.2025 10:00;rot
2;Maier;Gekündigt;13.02.2026;10,00;3;01.01.2026 00:30;
3;Schulz;;13.02.2026;12.50;viele;01.07.2025 10:00;
4;Huber;;13.02.2026;12,50;viele;01.07.2025 10:00;
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    return read_mapping(put(tmp_path, "mapping.yaml", MAPPING))


def test_one_foreign_file_fills_two_tables(warehouse: Warehouse, mapping: Mapping, tmp_path: Path) -> None:
    report = load(warehouse, put(tmp_path / "in", "kunden_2026.csv", FILE), mapping=mapping)
    assert [(f.table, f.added, f.quarantined) for f in report.files] == [("customers", 2, 2), ("subscriptions", 1, 0)]
    found = warehouse.connection.execute(
        "SELECT customer_id, name, status, CAST(renewal_date AS VARCHAR), CAST(mrr AS VARCHAR), CAST(arr AS VARCHAR),"
        " currency, phone, traits FROM customers ORDER BY 1"
    ).fetchall()
    assert found == [
        ("1", "Müller", "active", "2026-02-01", "1234.50", None, "EUR", "12", '{"farbe":"rot"}'),
        ("2", "Maier", "churned", "2026-02-13", "10.00", "120.00", "EUR", "3", None),
    ]
    subscriptions = warehouse.connection.execute("SELECT subscription_id, started_at FROM subscriptions").fetchall()
    assert subscriptions == [("sub-1", at(2025, 7, 1, 8))]
    assert "no column 'Ende', so subscriptions.ended_at stays empty" in "\n".join(report.notes)


def test_what_the_mapping_cannot_read_is_quarantined_with_its_foreign_row(
    warehouse: Warehouse, mapping: Mapping, tmp_path: Path
) -> None:
    report = load(warehouse, put(tmp_path / "in", "kunden.csv", FILE), mapping=mapping)
    assert [(q.line, q.column, q.value, q.reason) for q in report.sample] == [
        (4, "mrr", "12.50", "is no amount of money in the form 1.234,56"),
        (5, "phone", "viele", "is no whole number"),
    ]
    assert '"Firma":"Schulz"' in report.sample[0].row


def test_rows_that_no_condition_takes_are_counted(warehouse: Warehouse, tmp_path: Path) -> None:
    text = (
        "files: [{file: x.csv, targets: [{table: customers, where: kind = 'a', columns: {customer_id: id, name: id}}]}]"
    )
    mapping = read_mapping(put(tmp_path, "mapping.yaml", text))
    report = load(warehouse, put(tmp_path / "in", "x.csv", "id,kind\n1,a\n2,b\n3,\n"), mapping=mapping)
    assert report.files[0].read == 1
    assert report.notes[0].endswith("2 rows meet no condition of the mapping and were not taken")


def test_rows_of_unknown_customers_wait_in_canonical_form(stocked: Warehouse, tmp_path: Path) -> None:
    columns = "{ticket_id: no, customer_id: who, created_at: {from: on, format: epoch}}"
    text = f"files: [{{file: t.csv, targets: [{{table: tickets, columns: {columns}}}]}}]"
    mapping = read_mapping(put(tmp_path, "mapping.yaml", text))
    load(stocked, put(tmp_path / "in", "t.csv", "no,who,on\n7,c9,1767225600\n"), mapping=mapping)
    report = load(stocked, put(tmp_path / "in", "customers.csv", "customer_id,name\nc9,x\n"))
    assert report.resolved == 1
    assert stocked.connection.execute("SELECT ticket_id, created_at FROM tickets").fetchall() == [("7", at(2026, 1, 1))]


TICKETS = "files: [{{file: t*.csv, targets: [{{table: tickets, columns: {columns}}}]}}]"
KEY = '{expr: "concat(\'T-\', \\"Ticket Nr\\")"}'
COLUMNS = f"{{ticket_id: {KEY}, customer_id: who, created_at: {{from: on, format: DD.MM.YYYY}}}}"


def states(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return warehouse.connection.execute("SELECT line, state FROM quarantine ORDER BY load_id, line").fetchall()


def test_rows_that_a_corrected_file_gets_right_are_resolved(stocked: Warehouse, tmp_path: Path) -> None:
    mapping = read_mapping(put(tmp_path, "mapping.yaml", TICKETS.format(columns=COLUMNS)))
    header = "Ticket Nr,who,on\n"
    path = put(tmp_path / "in", "t.csv", header + "1,c1,soon\n2,c1,later\n3,c1,05.01.2026\n")
    load(stocked, path, mapping=mapping)
    put(tmp_path / "in", "t.csv", header + "1,c1,01.01.2026\n2,c1,later\n3,c1,05.01.2026\n")
    load(stocked, path, mapping=mapping)
    assert states(stocked) == [(2, "resolved"), (3, "open")]
    assert stocked.connection.execute("SELECT ticket_id FROM tickets ORDER BY 1").fetchall() == [("T-1",), ("T-3",)]


def test_rows_that_a_corrected_mapping_gets_right_are_resolved(stocked: Warehouse, tmp_path: Path) -> None:
    path = put(tmp_path / "in", "t.csv", "Ticket Nr,who,on\n1,c1,05/31/2026\n2,c1,01/02/2026\n2,c1,x\n")
    wrong = read_mapping(put(tmp_path, "wrong.yaml", TICKETS.format(columns=COLUMNS)))
    right = read_mapping(
        put(tmp_path, "right.yaml", TICKETS.format(columns=COLUMNS.replace("DD.MM", "MM/DD").replace(".YYYY", "/YYYY")))
    )
    load(stocked, path, mapping=wrong)
    load(stocked, path, mapping=wrong)
    assert states(stocked) == [(2, "open"), (3, "open"), (4, "open")]
    load(stocked, path, mapping=right)
    assert states(stocked) == [(2, "resolved"), (3, "resolved"), (4, "open")]


def test_a_row_that_another_line_replaced_is_resolved_when_the_file_no_longer_has_it(
    stocked: Warehouse, tmp_path: Path
) -> None:
    mapping = read_mapping(put(tmp_path, "mapping.yaml", TICKETS.format(columns=COLUMNS)))
    header = "Ticket Nr,who,on\n"
    path = put(tmp_path / "in", "t.csv", header + "1,c1,01.01.2026\n1,c1,02.01.2026\n")
    load(stocked, path, mapping=mapping)
    load(stocked, path, mapping=mapping)
    assert states(stocked) == [(2, "open")]
    load(stocked, put(tmp_path / "in", "t.csv", header + "1,c1,02.01.2026\n"), mapping=mapping)
    assert states(stocked) == [(2, "resolved")]


def test_a_file_without_the_needed_columns_is_not_loaded(
    warehouse: Warehouse, mapping: Mapping, tmp_path: Path
) -> None:
    report = load(warehouse, put(tmp_path / "in", "kunden.csv", FILE.replace("Firma", "Firmen")), mapping=mapping)
    assert not report.files
    assert (
        "the mapping to customers needs columns that the file does not have: 'Firma'; did you mean 'Firmen'?"
        in (report.problems[0])
    )


def test_files_without_an_entry_load_as_usual(warehouse: Warehouse, mapping: Mapping, tmp_path: Path) -> None:
    report = load(warehouse, put(tmp_path / "in", "customers.csv", "customer_id,name\n1,a\n"), mapping=mapping)
    assert [(f.table, f.added) for f in report.files] == [("customers", 1)]


BROKEN = """\
default: {}
defaults: {zone: Europe/Berlim}
files:
  - file: a.csv
    targets:
      - table: customer
        columns: {customer_id: a, name: b}
      - table: tickets
        columns: {ticket_id: a, creatd_at: b, status: {from: s, lokup: {}}}
      - table: customers
        where: a = = 2
        columns:
          customer_id: {from: a, constant: b}
          name: {constant: x, format: DD.MM}
"""
EXPECTED = """\
m.yaml:1:1: error: unknown key 'default'; did you mean 'defaults'?
m.yaml:2:18: error: unknown time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?
m.yaml:6:16: error: unknown table 'customer'; did you mean 'customers'?
m.yaml:9:9: error: tickets needs customer_id, created_at
m.yaml:9:33: error: tickets has no column 'creatd_at'; did you mean 'created_at'?
m.yaml:9:65: error: unknown key 'lokup'; did you mean 'lookup'?
m.yaml:11:20: error: not an expression: """


def test_a_mapping_reports_every_problem_at_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "m.yaml", BROKEN)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DefinitionError) as raised:
        read_mapping(Path("m.yaml"))
    text = str(raised.value)
    assert text.startswith(EXPECTED)
    assert "m.yaml:13:24: error: needs exactly one of 'from', 'expr', 'constant'" in text
    assert "m.yaml:14:39: error: unknown format 'DD.MM'" in text


USAGE = """\
lookups:
  owner: {file: subs.csv, key: Sub, value: Account}
files:
  - file: usage.csv
    targets:
      - table: events
        columns:
          event_id: id
          customer_id: {from: sub, lookup: owner}
          name: {constant: used}
          occurred_at: day
          properties.sub: sub
"""
USED = "id,sub,day\n1,s1,2026-01-01\n2, s2 ,2026-01-02\n3,s9,2026-01-03\n4,,2026-01-04\n"
SUBS = "sub,account,plan\ns1,c1,a\ns2,c2,a\ns1,c1,b\ns3,,b\n"


def usage_mapping(folder: Path, text: str = USAGE) -> Mapping:
    return read_mapping(put(folder, "mapping.yaml", text))


def test_a_lookup_file_brings_the_customer(stocked: Warehouse, tmp_path: Path) -> None:
    put(tmp_path / "in", "subs.csv", SUBS)
    report = load(stocked, put(tmp_path / "in", "usage.csv", USED), mapping=usage_mapping(tmp_path))
    assert facts(stocked, "events", "event_id, customer_id, properties") == [
        ("1", "c1", '{"sub":"s1"}'),
        ("2", "c2", '{"sub":"s2"}'),
    ]
    assert [(q.line, q.column, q.value, q.code, q.reason) for q in report.sample] == [
        (4, "customer_id", "s9", "lookup", "is not in the lookup file subs.csv"),
        (5, "customer_id", None, "required", "is required, but empty or missing"),
    ]


def test_a_lookup_lies_beside_the_data_first_then_beside_the_mapping(stocked: Warehouse, tmp_path: Path) -> None:
    put(tmp_path, "subs.csv", SUBS)
    load(stocked, put(tmp_path / "in", "usage.csv", USED), mapping=usage_mapping(tmp_path))
    put(tmp_path / "next", "subs.csv", "sub,account\ns9,c1\n")
    load(stocked, put(tmp_path / "next", "usage.csv", USED), mapping=usage_mapping(tmp_path))
    assert facts(stocked, "events", "event_id, customer_id") == [("1", "c1"), ("2", "c2"), ("3", "c1")]


def test_a_lookup_may_have_a_default(stocked: Warehouse, tmp_path: Path) -> None:
    put(tmp_path / "in", "subs.csv", SUBS)
    mapping = usage_mapping(tmp_path, USAGE.replace("lookup: owner", "lookup: owner, default: c1"))
    report = load(stocked, put(tmp_path / "in", "usage.csv", USED), mapping=mapping)
    assert (report.files[0].added, report.files[0].quarantined) == (4, 0)
    assert facts(stocked, "events", "event_id, customer_id")[2:] == [("3", "c1"), ("4", "c1")]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "the lookup owner needs subs.csv, which is not in "),
        ({"subs.csv": "sub,acount\ns1,c1\n"}, "needs the column 'Account' of subs.csv; did you mean 'acount'?"),
        ({"subs.csv": "sub,account\ns1,c1\ns1,c2\n"}, "gives a key several values in subs.csv (s1: c1, c2)"),
    ],
)
def test_a_lookup_that_cannot_be_used_loads_nothing(
    stocked: Warehouse, tmp_path: Path, files: dict[str, str], problem: str
) -> None:
    for name, text in files.items():
        put(tmp_path / "in", name, text)
    report = load(stocked, put(tmp_path / "in", "usage.csv", USED), mapping=usage_mapping(tmp_path))
    assert not report.files
    assert problem in report.problems[0]


def test_a_lookup_that_the_mapping_does_not_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        usage_mapping(tmp_path, USAGE.replace("lookup: owner", "lookup: owners").replace("key: Sub", "keys: Sub"))
    text = str(raised.value)
    assert "mapping.yaml:9:44: error: unknown lookup 'owners'; did you mean 'owner'?" in text
    assert "mapping.yaml:2:27: error: unknown key 'keys'; did you mean 'key'?" in text


def test_mapped_customers_are_loaded_before_what_belongs_to_them(warehouse: Warehouse, tmp_path: Path) -> None:
    text = (
        "files:\n"
        "- {file: a.csv, targets: [{table: tickets, columns: {ticket_id: no, customer_id: who, created_at: on}}]}\n"
        "- {file: z.csv, targets: [{table: customers, columns: {customer_id: id, name: id}}]}\n"
    )
    mapping = read_mapping(put(tmp_path, "mapping.yaml", text))
    put(tmp_path / "in", "z.csv", "id\nc9\n")
    put(tmp_path / "in", "a.csv", "no,who,on\n7,c9,2026-01-01\n")
    report = load(warehouse, tmp_path / "in", mapping=mapping)
    assert [(f.table, f.added, f.quarantined) for f in report.files] == [("customers", 1, 0), ("tickets", 1, 0)]

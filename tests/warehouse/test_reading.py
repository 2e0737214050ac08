"""The same rows in every encoding, delimiter and format load the same."""

import gzip
from pathlib import Path

import duckdb
import pytest

from keepwell.warehouse.loading.delimited import find_header, records
from keepwell.warehouse.storage import Warehouse

from .helpers import content, csv_text, load, put

ROWS = csv_text(
    "customer_id,name,mrr,churned_at,auto_renew,favourite",
    'c1,"Müller, Söhne & Co",12.50,2026-01-31T10:00:00+02:00,yes,blau',
    "c2,Zoë “Z”,,,,",
)


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, object]:
    with Warehouse.open(tmp_path / "expected", zone="UTC") as warehouse:
        load(warehouse, put(tmp_path / "e", "customers.csv", ROWS))
        return dict(content(warehouse))


def loaded(tmp_path: Path, name: str, raw: bytes | str) -> dict[str, object]:
    with Warehouse.open(tmp_path / "data", zone="UTC") as warehouse:
        report = load(warehouse, put(tmp_path / "in", name, raw))
        assert report.quarantined == 0
        return dict(content(warehouse))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-8-mac-lines"]
)
def test_every_encoding_reads_the_same(encoding: str, expected: dict[str, object], tmp_path: Path) -> None:
    text, plain = (ROWS.replace("\n", "\r"), "utf-8") if encoding.endswith("mac-lines") else (ROWS, encoding)
    assert loaded(tmp_path, "customers.csv", text.encode(plain)) == expected


def test_a_guessed_encoding_is_said(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "data", zone="UTC") as warehouse:
        report = load(warehouse, put(tmp_path, "customers.csv", ROWS.encode("cp1252")))
    assert "read as cp1252" in "\n".join(report.problems)


def test_windows_line_ends_and_gzip_read_the_same(expected: dict[str, object], tmp_path: Path) -> None:
    packed = gzip.compress(ROWS.replace("\n", "\r\n").encode())
    assert loaded(tmp_path, "customers_2026-01.csv.gz", packed) == expected


def test_ndjson_and_json_read_the_same(expected: dict[str, object], tmp_path: Path) -> None:
    first = (
        '{"customer_id":"c1","name":"Müller, Söhne & Co","mrr":12.5,"churned_at":"2026-01-31T10:00:00+02:00",'
        '"auto_renew":true,"favourite":"blau"}'
    )
    second = '{"customer_id":"c2","name":"Zoë “Z”","mrr":null}'
    assert loaded(tmp_path / "1", "customers.ndjson", f"{first}\n\n{second}\n") == expected
    assert loaded(tmp_path / "2", "customers.json", f"[{first},\n{second}]") == expected


def test_parquet_reads_the_same(expected: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "customers.parquet"
    duckdb.execute(
        "COPY (SELECT 'c1' AS customer_id, 'Müller, Söhne & Co' AS name, 12.5::DOUBLE AS mrr, TIMESTAMPTZ"
        " '2026-01-31 10:00:00+02' AS churned_at, true AS auto_renew, 'blau' AS favourite"
        f" UNION ALL SELECT 'c2', 'Zoë “Z”', 'nan'::DOUBLE, NULL, NULL, NULL) TO '{path}' (FORMAT parquet)"
    )
    assert loaded(tmp_path, "customers.parquet", path.read_bytes()) == expected


def test_whole_floats_are_keys_without_a_fraction(stocked: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "tickets.parquet"
    duckdb.execute(
        "COPY (SELECT 17.0::DOUBLE AS ticket_id, 'c1' AS customer_id, TIMESTAMP '2026-01-01 10:00' AS created_at,"
        f" ['a', 'b'] AS tags, {{'x': 1}} AS properties) TO '{path}' (FORMAT parquet)"
    )
    load(stocked, path)
    found = stocked.connection.execute("SELECT ticket_id, tags, properties FROM tickets").fetchall()
    assert found == [("17", '["a","b"]', '{"x":1}')]


def test_the_delimiter_with_the_most_known_names_is_taken(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", "customer_id;name, in full;occurred_at\n")
    header = find_header(path, {"customer_id", "occurred_at"}.__contains__)
    assert header is not None
    assert (header.delimiter, header.names) == (";", ["customer_id", "name, in full", "occurred_at"])


def test_records_carry_their_real_lines(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", 'a,b\n1,"x\ny"\n\n2,"open\n3,c\n4,d,e\n"5","f ""g"""\n')
    header = find_header(path, {"a", "b"}.__contains__)
    assert header is not None
    found = [(r.line, r.fields, r.code) for r in records(path, header)]
    assert found == [
        (2, ["1", "x\ny"], ""),
        (5, None, "quotes"),
        (6, ["3", "c"], ""),
        (7, None, "fields"),
        (8, ["5", 'f "g"'], ""),
    ]


def test_unknown_columns_are_kept_and_named_once(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "data", zone="UTC") as warehouse:
        report = load(warehouse, put(tmp_path, "customers.csv", ROWS))
        assert report.notes == (f"{tmp_path / 'customers.csv'}: unknown column 'favourite' kept in traits",)
        found = warehouse.connection.execute("SELECT traits FROM customers ORDER BY customer_id").fetchall()
    assert found == [('{"favourite":"blau"}',), (None,)]

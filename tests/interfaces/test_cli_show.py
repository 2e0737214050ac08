"""show and export: published rows as tables, CSV and JSON, and errors that help."""

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from keepwell import load_pack
from keepwell.services.csv_text import safe_cell
from keepwell.services.customer_rows import SEVERITIES
from keepwell.warehouse.tables import TABLES
from tests.interfaces.cli_world import FIRST, LAST, Ran, keepwell


def rows(ran: Ran) -> list[dict[str, str]]:
    assert ran.code == 0, ran.err
    return list(csv.DictReader(io.StringIO(ran.out)))


def test_customers_are_the_same_in_json_and_csv(scored: Path) -> None:
    listed = keepwell("-w", scored, "show", "customers", "--format", "json").json
    flat = rows(keepwell("-w", scored, "show", "customers", "--format", "csv"))
    assert [c["customer_id"] for c in listed] == [row["customer_id"] for row in flat]
    for customer, row in zip(listed, flat, strict=True):
        assert customer["as_of"] == row["as_of"] == LAST.isoformat()
        assert str(customer["health"]["score"]) == row["health_score"]
        assert customer["health"]["band"] == row["health_band"]
        assert customer["segments"]["primary"] == row["primary_segment"]
        assert "; ".join(customer["signals"]) == row["signals"]


def test_customers_agree_with_the_score_command(scored: Path, tmp_path: Path) -> None:
    table = tmp_path / "metrics.csv"
    table.write_text(keepwell("-w", scored, "export", "metrics").out)
    listed = keepwell("-w", scored, "show", "customers", "--format", "json").json
    given = keepwell("score", "--model", scored / "model", "--metrics", table, "--as-of", LAST).json
    assert [(c["customer_id"], c["health"]["score"]) for c in listed] == [
        (c["customer_id"], c["health"]["score"]) for c in given
    ]


def test_a_model_without_a_score_has_no_health(signals: Path) -> None:
    listed = keepwell("-w", signals, "show", "customers", "--format", "json").json
    assert listed
    assert all(c["health"] is None and c["segments"]["primary"] for c in listed)
    assert "health" not in keepwell("-w", signals, "show", "customers").out.splitlines()[0]


def test_tables_are_plain_and_notes_go_elsewhere(scored: Path) -> None:
    ran = keepwell("-w", scored, "show", "customers")
    header, *lines = ran.out.splitlines()
    assert header.split() == [
        "customer",
        "name",
        "health",
        "band",
        "churn",
        "risk",
        "segment",
        "mrr",
        "renewal",
        "signals",
    ]
    assert len(lines) == len(keepwell("-w", scored, "show", "customers", "--format", "json").json)
    assert "\x1b" not in ran.out
    assert f"as of {LAST}" in ran.err


def test_signals_are_ordered_by_severity(scored: Path) -> None:
    listed = keepwell("-w", scored, "show", "signals", "--format", "json").json
    ranks = [SEVERITIES.index(signal["severity"]) for signal in listed]
    assert ranks == sorted(ranks)
    by_customer = {
        c["customer_id"]: c["signals"] for c in keepwell("-w", scored, "show", "customers", "--format", "json").json
    }
    assert sorted((s["customer_id"], s["signal"]) for s in listed) == sorted(
        (customer, name) for customer, names in by_customer.items() for name in names
    )
    assert not any("{" in signal["reason"] for signal in listed)


def test_metrics_come_with_their_quality(scored: Path) -> None:
    listed = keepwell("-w", scored, "show", "metrics", "--format", "json").json
    for customer in listed:
        unknown = {name for name, value in customer["metrics"].items() if value is None}
        assert unknown <= set(customer["quality"])
    one = keepwell("-w", scored, "show", "metrics", "--customer", listed[0]["customer_id"])
    assert len(one.out.splitlines()) == len(listed[0]["metrics"]) + 1
    assert keepwell("-w", scored, "show", "metrics", "--customer", "nobody").code == 2


def test_the_planned_sql_names_every_table_metric(scored: Path) -> None:
    text = keepwell("-w", scored, "show", "metrics", "--sql").out
    with duckdb.connect() as connection:
        statements = connection.extract_statements(text)
    assert len(statements) == text.count("-- computes: ")
    assert all(f"-- {table}: " in text for table in ("events", "tickets", "payments"))
    metrics = load_pack("b2b-saas").loaded.model.metrics
    counting = [
        part for part in text.split("\n\n") if "reads all windows" in part and "GROUP BY\n    e,\n    thing" in part
    ]
    assert any("-- computes: active_people_30d\n" in part for part in counting)
    assert all(name in text for name, metric in metrics.items() if metric.table in TABLES)


def test_findings_of_quality_are_as_of_the_date(copy: Path, tmp_path: Path) -> None:
    def overdue(*more: object) -> tuple[str | None, list[str]]:
        found = keepwell("-w", copy, "show", "quality", "--format", "json", *more).json
        named = [f["examples"] for f in found["findings"] if f["code"] == "renewal_overdue"]
        return found["as_of"], [example for examples in named for example in examples]

    (tmp_path / "customers.csv").write_text(f"customer_id,name,status,renewal_date\nlate,Late & Co,active,{FIRST}\n")
    assert keepwell("-w", copy, "load", tmp_path / "customers.csv").code == 0
    assert overdue()[0] is None
    for day in (FIRST, LAST):
        assert keepwell("-w", copy, "run", "--as-of", day).code == 0
    assert overdue("--as-of", FIRST) == (FIRST.isoformat(), [])
    assert overdue() == overdue("--as-of", LAST) == (LAST.isoformat(), [f"late: {FIRST}"])
    assert keepwell("-w", copy, "show", "quality", "--as-of", FIRST - timedelta(days=3)).code == 2


def test_an_unpublished_date_names_its_neighbours(scored: Path) -> None:
    early, late = FIRST - timedelta(days=3), LAST + timedelta(days=3)
    assert f"nearest published dates: {FIRST}." in keepwell("-w", scored, "show", "customers", "--as-of", early).err
    ran = keepwell("-w", scored, "show", "customers", "--as-of", late)
    assert (ran.code, ran.out) == (2, "")
    assert f"'keepwell run --as-of {late}'" in ran.err


def test_nothing_published_says_what_to_do(loaded: Path) -> None:
    ran = keepwell("-w", loaded, "show", "signals")
    assert ran.code == 2
    assert "'keepwell run'" in ran.err


def test_segments_and_movement_add_up(scored: Path) -> None:
    table = keepwell("-w", scored, "show", "segments", "--format", "json").json
    customers = keepwell("-w", scored, "show", "customers", "--format", "json").json
    assert sum(row["customers"] for row in table["rows"]) == table["total"]["customers"] == len(customers)
    moved = keepwell("-w", scored, "show", "movement", "--from", FIRST, "--to", LAST, "--format", "json").json
    totals = moved["totals"]
    assert totals["customers_start"] + totals["customers_joined"] - totals["customers_left"] == totals["customers_end"]
    assert sum(move["customers"] for move in moved["moves"]) == len(moved["movers"])
    flat = rows(keepwell("-w", scored, "show", "movement", "--from", FIRST, "--format", "csv"))
    assert [int(row["customers"]) for row in flat] == [move["customers"] for move in moved["moves"]]
    assert keepwell("-w", scored, "show", "movement", "--by", "bands", "--customers").code == 0
    wrong = keepwell("-w", scored, "show", "segments", "--by", "tiers")
    assert (wrong.code, "did you mean 'tier'" in wrong.err) == (2, True)
    assert keepwell("-w", scored, "show", "movement", "--from", LAST, "--to", FIRST).code == 2


def test_kpis_have_targets_and_come_by_week(scored: Path) -> None:
    found = keepwell("-w", scored, "show", "kpis", "--format", "json").json
    assert found["as_of"] == LAST.isoformat()
    figures = {row["name"]: row for row in found["rows"]}
    assert len(figures) == 18
    assert 0 <= figures["healthy"]["current"]["value"] <= 1
    assert len(rows(keepwell("-w", scored, "show", "kpis", "--format", "csv"))) == 18
    assert "< 2 h" in keepwell("-w", scored, "show", "kpis").out
    weeks = keepwell("-w", scored, "show", "kpis", "--from", FIRST, "--format", "json").json
    assert [week["last"] for week in weeks] == ["2026-06-30", "2026-06-28", "2026-06-21"]
    assert len(keepwell("-w", scored, "show", "kpis", "--from", FIRST).out.splitlines()) == 4
    assert keepwell("-w", scored, "show", "kpis", "--from", LAST).code == 2


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("+1-202-555", "'+1-202-555"),
        ("-cmd", "'-cmd"),
        ("\ta", "'\ta"),
        ("-12.5", "-12.5"),
        (-3, "-3"),
        ("+4e-2", "+4e-2"),
        (None, ""),
        (True, "true"),
        (["a", "b"], "a; b"),
        (date(2026, 1, 2), "2026-01-02"),
        ("plain", "plain"),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


def test_formulas_in_names_stay_texts(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text('customer_id,name\nevil,"=HYPERLINK(""http://x"")"\n')
    assert keepwell("-w", copy, "load", tmp_path / "customers.csv").code == 0
    found = [row for row in rows(keepwell("-w", copy, "export", "customer_history")) if row["customer_id"] == "evil"]
    assert found[0]["name"] == '\'=HYPERLINK("http://x")'


@pytest.mark.parametrize(
    "table", ["customers", "segments", "signals", "metrics", "customer_history", "events", "tickets"]
)
def test_exports_have_the_same_rows_in_both_formats(scored: Path, tmp_path: Path, table: str) -> None:
    text = rows(keepwell("-w", scored, "export", table))
    target = tmp_path / f"{table}.parquet"
    assert keepwell("-w", scored, "export", table, "--format", "parquet", "--out", target).code == 0
    with duckdb.connect() as connection:
        found = connection.execute("SELECT customer_id FROM read_parquet(?)", [str(target)]).fetchall()
    assert sorted(row["customer_id"] for row in text) == sorted(customer for (customer,) in found)
    assert text


def test_signals_are_the_same_in_both_formats(scored: Path, tmp_path: Path) -> None:
    text = rows(keepwell("-w", scored, "export", "signals"))
    target = tmp_path / "signals.parquet"
    assert keepwell("-w", scored, "export", "signals", "--format", "parquet", "--out", target).code == 0
    with duckdb.connect() as connection:
        relation = connection.read_parquet(str(target))
        kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
        found = relation.fetchall()
    assert list(kinds) == list(text[0])
    assert (kinds["as_of"], kinds["mrr"], kinds["value"], kinds["reason"]) == ("DATE", "DOUBLE", "DOUBLE", "VARCHAR")
    keys = [list(kinds).index(name) for name in ("customer_id", "signal", "reason", "severity")]
    shown = [tuple(row[name] or None for name in ("customer_id", "signal", "reason", "severity")) for row in text]
    assert [tuple(row[key] or None for key in keys) for row in found] == shown


def test_exported_events_load_again(scored: Path, tmp_path: Path) -> None:
    target = tmp_path / "events.parquet"
    assert keepwell("-w", scored, "export", "events", "--format", "parquet", "-o", target).code == 0
    folder = tmp_path / "again"
    assert keepwell("init", folder, "--pack", "b2b-saas").code == 0
    history = tmp_path / "customers.csv"
    history.write_text(keepwell("-w", scored, "export", "customer_history").out)
    report = keepwell("-w", folder, "load", target, history, "--format", "json").json
    counts = {file["table"]: file for file in report["files"]}
    assert counts["events"]["added"] == counts["events"]["read"] > 0


def test_export_says_what_there_is(scored: Path, tmp_path: Path) -> None:
    wrong = keepwell("-w", scored, "export", "event")
    assert (wrong.code, "did you mean 'events'" in wrong.err) == (2, True)
    assert keepwell("-w", scored, "export", "events", "--out", tmp_path / "no" / "x.csv").code == 2


def test_a_broken_snapshot_is_no_traceback(copy: Path) -> None:
    assert keepwell("-w", copy, "run", "--as-of", LAST).code == 0
    (copy / "data" / "snapshots" / f"{LAST}.parquet").write_bytes(b"not parquet")
    ran = keepwell("-w", copy, "show", "customers")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    doctor = keepwell("-w", copy, "doctor", "--format", "json")
    assert doctor.code == 2
    assert any(f["check"] == "snapshots" and f["state"] == "error" for f in json.loads(doctor.out))

"""Conditions on raw columns and on signals, from the files to what people read."""

from pathlib import Path

import pytest

from tests.interfaces.cli_world import keepwell

MODEL = """
model: {name: own, version: "1"}
segments:
  watched: {when: "customer_id in ('a', 'c') and shrinking"}
  german: {when: "country = 'DE' and renewal_date is not null"}
  rest: {catch_all: true}
signals:
  shrinking: {when: mrr < 100 and industry != 'Retail', value: mrr * 12, reason: "Only {mrr}."}
"""
CUSTOMERS = """customer_id,name,status,country,industry,mrr,renewal_date
a,A,active,DE,Banking,50,2026-09-01
b,B,active,DE,Retail,50,2026-09-01
c,C,active,FR,,50,
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("columns")
    assert keepwell("init", folder / "w", "--pack", "b2b-saas").code == 0
    for file in (folder / "w" / "model").rglob("*.*"):
        file.unlink()
    (folder / "w" / "model" / "model.yaml").write_text(MODEL, encoding="utf-8")
    (folder / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    (folder / "metrics.csv").write_text(
        "customer_id,country,mrr,industry\na,DE,500,Banking\nb,FR,7,Banking\n", encoding="utf-8"
    )
    assert keepwell("-w", folder / "w", "load", folder / "customers.csv").code == 0
    ran = keepwell("-w", folder / "w", "run", "--as-of", "2026-06-30")
    assert ran.code == 0, ran.err
    return folder


def test_segments_read_columns_and_signals(place: Path) -> None:
    found = {c["customer_id"]: c for c in keepwell("-w", place / "w", "show", "customers", "--format", "json").json}
    assert {name: c["segments"]["primary"] for name, c in found.items()} == {"a": "watched", "b": "german", "c": "rest"}
    assert {name: c["signals"] for name, c in found.items()} == {"a": ["shrinking"], "b": [], "c": []}


def test_the_columns_are_published_and_the_kept_model_explains_them(place: Path) -> None:
    listed = keepwell("-w", place / "w", "show", "metrics", "--format", "json", "--customer", "c").json
    assert listed[0]["metrics"]["industry"] is None
    assert listed[0]["metrics"]["country"] == "FR"
    ran = keepwell("-w", place / "w", "explain", "a")
    assert ran.code == 0, ran.err
    assert "yes: signal 'shrinking' is on  [shrinking = on]" in ran.out
    assert "yes: industry != 'Retail'  [industry = Banking]" in ran.out
    assert "signal 'shrinking' is on (unknown)" in keepwell("-w", place / "w", "explain", "c").out


def test_a_file_of_metrics_stands_in_for_the_columns(place: Path) -> None:
    ran = keepwell("score", "--metrics", place / "metrics.csv", "--model", place / "w" / "model")
    assert ran.code == 0, ran.err
    first, second = ran.json
    assert (first["segments"]["primary"], first["signals"]) == ("rest", [])
    assert (second["segments"]["primary"], second["signals"]) == ("rest", ["shrinking"])
    assert "renewal_date" in first["missing"]


def test_validate_counts_what_was_written(place: Path) -> None:
    ran = keepwell("validate", place / "w" / "model")
    assert ran.out == "ok: own 1: 0 metrics, 0 scores, 3 segments, 1 signal, 5 columns of customers\n"

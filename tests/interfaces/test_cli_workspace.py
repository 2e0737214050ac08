"""init, load, run, backfill, simulate: what they print, what they leave, and their exit codes."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keepwell.interfaces.cli import clock
from tests.interfaces.cli_world import FIRST, LAST, keepwell


def test_init_makes_a_workspace_and_refuses_a_second_one(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    ran = keepwell("init", folder, "--pack", "agency-signals", "--timezone", "Europe/Berlin", "--currency", "EUR")
    assert ran.code == 0
    assert (folder / "keepwell.toml").read_text().count('"Europe/Berlin"') == 1
    assert (folder / "model" / "segments.yaml").is_file()
    again = keepwell("init", folder, "--pack", "b2b-saas")
    assert again.code == 2
    assert "nothing was changed" in again.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pack", "agency-signal"), "did you mean 'agency-signals'"),
        (("--pack", "b2b-saas", "--timezone", "Mars/Base"), "not a time zone"),
    ],
)
def test_init_says_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = keepwell("init", tmp_path / "ws", *arguments)
    assert (ran.code, words in ran.err, (tmp_path / "ws").exists()) == (2, True, False)


def test_load_reports_counts_and_repeats_harmlessly(copy: Path, world: Path) -> None:
    report = keepwell("-w", copy, "load", world, "--format", "json").json
    customers = next(f for f in report["files"] if f["table"] == "customers")
    assert customers["added"] == customers["changed"] == 0
    assert customers["unchanged"] + customers["repeated"] == customers["read"] > 0
    assert report["problems"] == []


def test_bad_rows_are_quarantined_and_shown(copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text("ticket_id,customer_id,created_at\nt-1,c-00001,yesterday\nt-2,nobody,2026-06-30\n")
    ran = keepwell("-w", copy, "load", file)
    assert ran.code == 1
    assert f"{file}:2: tickets: created_at" in ran.err
    waiting = keepwell("-w", copy, "show", "quarantine", "--format", "json").json
    assert {(row["line"], row["column"]) for row in waiting} >= {(2, "created_at"), (3, "customer_id")}
    quality = keepwell("-w", copy, "show", "quality", "--format", "json").json
    waits = [finding for finding in quality["findings"] if finding["code"].startswith("quarantine_")]
    assert sum(finding["count"] for finding in waits) == 2
    assert next(f for f in quality["feeds"] if f["table"] == "tickets")["quarantined"] == 2
    assert keepwell("-w", copy, "load", file, "--map", tmp_path / "none.yaml").code == 2


def test_a_foreign_file_goes_through_a_mapping(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text("Account,Company\nnew-1,New & Co\n")
    rules = tmp_path / "map.yaml"
    rules.write_text(
        "files:\n- file: crm.csv\n  targets:\n"
        "  - table: customers\n    columns: {customer_id: Account, name: Company}\n"
    )
    assert keepwell("-w", copy, "load", tmp_path / "crm.csv", "--map", rules).code == 0
    text = keepwell("-w", copy, "export", "customer_history").out
    assert any(row["customer_id"] == "new-1" for row in csv.DictReader(io.StringIO(text)))


def test_nothing_is_touched_when_a_path_does_not_exist(copy: Path, world: Path) -> None:
    ran = keepwell("-w", copy, "load", world, copy / "nowhere")
    assert (ran.code, ran.out) == (2, "")
    assert "nowhere: there is no such file or folder" in ran.err


def test_a_load_of_nothing_is_a_problem(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_text("no data")
    ran = keepwell("-w", copy, "load", tmp_path / "notes.docx")
    assert ran.code == 1
    assert "nothing was loaded" in ran.err


@pytest.mark.parametrize("day", ["0001-01-01", "2026-02-30", "yesterday", "9999-12-31"])
def test_impossible_dates_are_refused(copy: Path, day: str) -> None:
    ran = keepwell("-w", copy, "run", "--as-of", day)
    assert ran.code == 2
    assert "date" in ran.err


def test_run_publishes_and_names_the_file(copy: Path) -> None:
    ran = keepwell("run", "-w", copy, "--as-of", LAST)
    assert ran.code == 0
    assert f"published: {copy / 'data' / 'snapshots' / f'{LAST}.parquet'}" in ran.out


def test_run_is_of_today_and_says_where_the_data_end(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 9, 1, 12, tzinfo=UTC))
    ran = keepwell("-w", copy, "run")
    assert ran.code == 1
    assert ran.out.startswith("2026-09-01: ")
    assert f"keepwell -w {copy} run --as-of {LAST}" in ran.err


def test_run_needs_customers(tmp_path: Path) -> None:
    assert keepwell("init", tmp_path / "ws", "--pack", "b2b-saas").code == 0
    ran = keepwell("-w", tmp_path / "ws", "run", "--as-of", LAST)
    assert ran.code == 2
    assert "there are no customers yet" in ran.err


def test_a_bad_model_stops_a_run_with_its_place(copy: Path) -> None:
    path = copy / "model" / "segments.yaml"
    path.write_text(path.read_text().replace("when:", "whenn:", 1))
    ran = keepwell("-w", copy, "run", "--as-of", LAST)
    assert ran.code == 2
    assert "segments.yaml:" in ran.err
    assert "did you mean 'when'" in ran.err


def test_backfill_wants_its_dates_in_order(copy: Path) -> None:
    ran = keepwell("-w", copy, "backfill", "--from", LAST, "--to", FIRST)
    assert ran.code == 2
    assert "before it begins" in ran.err


@pytest.mark.parametrize(
    "command", [("run",), ("show", "customers"), ("doctor",), ("explain", "x"), ("export", "events")]
)
def test_every_command_wants_a_workspace(tmp_path: Path, command: tuple[str, ...]) -> None:
    ran = keepwell("-w", tmp_path, *command)
    assert ran.code == 2
    assert "keepwell init" in ran.err + ran.out


@pytest.mark.parametrize(
    "text",
    [
        "not toml [",
        "[workspace]\ntimezon = 'UTC'",
        "[workspace]\ntimezone = 'Nowhere'",
        "[workspace]\nwait_seconds = 'x'",
    ],
)
def test_a_bad_configuration_is_named(copy: Path, text: str) -> None:
    (copy / "keepwell.toml").write_text(text)
    ran = keepwell("-w", copy, "show", "customers")
    assert ran.code == 2
    assert "keepwell.toml" in ran.err
    assert "Traceback" not in ran.err


def test_simulate_writes_a_world_that_loads(tmp_path: Path) -> None:
    ran = keepwell("simulate", tmp_path / "w", "--customers", 3, "--days", 8, "--end", LAST)
    assert ran.code == 0
    assert (tmp_path / "w" / "truth" / "README.md").is_file()
    assert keepwell("simulate", tmp_path / "w", "--days", 3).code == 2
    (tmp_path / "file").write_text("")
    assert keepwell("simulate", tmp_path / "file").code == 2

"""The Python door."""

from datetime import date
from pathlib import Path

import pytest

import keepwell
from keepwell.model.problems import DefinitionError
from tests.interfaces.cli_world import LAST


def test_a_pack_is_loaded_by_name_and_scores_rows() -> None:
    rows = [{"customer_id": "acme", "days_to_renewal": 10, "payment_status": "failed"}]
    (result,) = keepwell.load_pack("agency-signals").score(rows, as_of=date(2026, 1, 31))
    assert (result.customer_id, result.primary, result.as_of) == ("acme", "revenue_at_risk", date(2026, 1, 31))


def test_a_directory_is_loaded_as_well(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("model: {name: m, version: '1'}\nsegments: {all: {catch_all: true}}\n")
    (result,) = keepwell.load_pack(tmp_path).score([{"customer_id": 1}])
    assert result.primary == "all"


def test_an_unknown_pack_is_named_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="did you mean 'saas-monitoring'"):
        keepwell.load_pack("saas-monitorin")


def test_an_opened_workspace_runs_like_the_command(copy: Path) -> None:
    report = keepwell.open(copy).run(as_of=LAST)
    assert (report.as_of, report.customers > 0) == (LAST, True)
    assert (copy / "data" / "snapshots" / f"{LAST}.parquet").exists()


def test_days_may_be_written_as_on_the_command_line(copy: Path) -> None:
    (result,) = keepwell.load_pack("agency-signals").score([{"customer_id": "acme"}], as_of="2026-01-31")
    assert result.as_of == date(2026, 1, 31)
    opened = keepwell.open(copy)
    assert opened.run(as_of=str(LAST)).as_of == LAST
    assert [report.as_of for report in opened.backfill(str(LAST), LAST)] == [LAST]
    with pytest.raises(ValueError, match="Invalid isoformat"):
        opened.run(as_of="yesterday")

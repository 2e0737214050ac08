"""A workspace whose customers pay in several currencies: from its rates to the snapshot, the report and the doctor."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from keepwell.reporting.quality import data_quality
from keepwell.reporting.reading import read_day
from keepwell.services.doctor import Finding, examine
from keepwell.services.loading import load_files
from keepwell.services.runs import RunReport, backfill_days, run_day
from keepwell.services.workspace import Workspace, WorkspaceError, workspace_init, workspace_open
from keepwell.warehouse.rates import RatesError

LAST = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, tzinfo=UTC)
CUSTOMERS = """customer_id,name,currency,mrr,synced_at
a,A,USD,100,2026-01-01
b,B,EUR,50,2026-01-01
c,C,,10,2026-01-01
d,D,GBP,70,2026-01-01
e,E,GBP,,2026-01-01
"""
SUBSCRIPTIONS = """subscription_id,customer_id,mrr,started_at,ended_at
s-a,a,2000000,2026-01-01,
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = workspace_init(tmp_path / "ws", pack="b2b-saas", currency="EUR")
    (made.root / "customers.csv").write_text(CUSTOMERS)
    (made.root / "subscriptions.csv").write_text(SUBSCRIPTIONS)
    load_files(made, paths=[made.root / "customers.csv", made.root / "subscriptions.csv"], now=NOW)
    return made


def with_rates(workspace: Workspace, constant: str = "", csv: str = "currency,date,rate\n") -> Workspace:
    path = workspace.root / "keepwell.toml"
    path.write_text(path.read_text().split("\n[rates]")[0] + "\n[rates]\n" + constant)
    (workspace.root / "rates.csv").write_text(csv)
    return workspace_open(workspace.root)


def mrr(workspace: Workspace, day: date = LAST) -> list[float | None]:
    found = read_day(workspace.snapshots, day).number("mrr").tolist()
    return [None if value != value else value for value in found]


def warned(report: RunReport) -> list[str]:
    return [text for text in report.warnings if "rate" in text]


def of_rates(workspace: Workspace) -> list[tuple[str, str]]:
    found: list[Finding] = examine(workspace.root, today=LAST)
    return [(finding.state.value, finding.message) for finding in found if finding.check == "rates"]


def test_without_rates_amounts_stay_and_the_report_warns(workspace: Workspace) -> None:
    report = run_day(workspace, as_of=LAST)
    day = read_day(workspace.snapshots, LAST)
    assert (mrr(workspace), warned(report), "keepwell.exchange" in day.about) == ([2e6, 50, 10, 70, None], [], False)
    said = data_quality(workspace.model(), day, currency="EUR").warnings
    added = "amounts are added up as they are, without exchange rates; put them into [rates] of keepwell.toml"
    assert f"customers pay in EUR, GBP and USD: {added}" in said
    assert of_rates(workspace) == []


def test_rates_convert_and_missing_ones_are_named(workspace: Workspace) -> None:
    workspace = with_rates(workspace, "USD = 0.92\n")
    report = run_day(workspace, as_of=LAST)
    day = read_day(workspace.snapshots, LAST)
    assert mrr(workspace) == [1_840_000, 50, 10, None, None]
    assert day.number("arr").tolist()[:3] == [22_080_000, 600, 120]
    assert warned(report) == [
        "no exchange rate for GBP (2 customers): their amounts are unknown; add it to [rates] or rates.csv"
    ]
    used = {"currency": "EUR", "rates": {"EUR": 1.0, "GBP": None, "USD": 0.92}}
    assert day.said("exchange") == used
    said = data_quality(workspace.model(), day, currency="EUR").warnings
    assert not any("added up as they are" in text for text in said)
    assert "2 customers without a known ARR: counted as customers, and as no money" in said
    other = data_quality(workspace.model(), day, currency="USD").warnings
    assert "amounts are in EUR and shown as USD: compute the day again" in other


def test_a_run_with_dated_rates_is_a_day_of_the_backfill(workspace: Workspace) -> None:
    first = LAST - timedelta(days=4)
    csv = f"currency,date,rate\nUSD,2026-01-01,0.5\nUSD,{first + timedelta(days=2)},0.75\nGBP,2026-06-01,2\n"
    workspace = with_rates(workspace, csv=csv)
    backfill_days(workspace, first=first, last=LAST)
    days = [first + timedelta(days=i) for i in range(5)]
    assert [mrr(workspace, day)[0] for day in days] == [1e6, 1e6, 1.5e6, 1.5e6, 1.5e6]
    bytes_of = {day: workspace.snapshots.path(day).read_bytes() for day in days}
    for day in days:
        run_day(workspace, as_of=day)
        assert workspace.snapshots.path(day).read_bytes() == bytes_of[day]


def test_old_rates_are_warned_of(workspace: Workspace) -> None:
    workspace = with_rates(workspace, "GBP = 2\n", "currency,date,rate\nUSD,2026-01-01,0.5\n")
    assert warned(run_day(workspace, as_of=LAST)) == ["rates.csv: the rate of USD is of 2026-01-01; add newer ones"]
    assert warned(run_day(workspace, as_of=date(2026, 2, 5))) == []


def test_the_doctor_names_dates_that_were_computed_with_other_rates(workspace: Workspace) -> None:
    run_day(workspace, as_of=LAST - timedelta(days=1))
    constant = "USD = 0.92\nGBP = 1.2\n"
    run_day(with_rates(workspace, constant), as_of=LAST)
    fine = ("ok", "GBP, USD into EUR")
    again = "computed with other exchange rates than now; 'keepwell backfill --from 2026-06-29 --to"
    assert of_rates(workspace) == [fine, ("warning", f"1 date was {again} 2026-06-29' computes them again")]
    with_rates(workspace, constant.replace("1.2", "1.3"))
    assert of_rates(workspace) == [fine, ("warning", f"2 dates were {again} 2026-06-30' computes them again")]
    with_rates(workspace, constant + "CHF = 1\n")
    assert [state for state, _ in of_rates(workspace)] == ["ok", "warning"]
    with_rates(workspace, constant, "currency,date,rate\nCHF,2026-01-01,x\n")
    ((state, message),) = of_rates(workspace)
    assert (state, "rates.csv:2: a rate is a number above 0, not 'x'" in message) == ("error", True)


def test_what_is_no_rate_stops_before_anything_is_touched(workspace: Workspace) -> None:
    with pytest.raises(RatesError, match=r"keepwell.toml: \[rates\]: USD: a rate is a number above 0"):
        run_day(with_rates(workspace, "USD = -1\n"), as_of=LAST)
    path = workspace.root / "keepwell.toml"
    path.write_text("rates = 1\n" + path.read_text().split("\n[rates]")[0])
    with pytest.raises(WorkspaceError, match=r"\[rates\] is a section"):
        workspace_open(workspace.root)


def test_what_is_kept_of_a_date_is_about_its_own_currencies(workspace: Workspace) -> None:
    run_day(with_rates(workspace, "USD = 0.92\nGBP = 1.2\nCHF = 1\n"), as_of=LAST)
    about = json.loads(workspace.snapshots.about(LAST)["keepwell.exchange"])
    assert sorted(about["rates"]) == ["EUR", "GBP", "USD"]

"""The HTML report: whole, self-contained, and safe with whatever customers call themselves."""

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from keepwell.interfaces.html_report.charts import Part, line_chart, stacked_bar
from keepwell.interfaces.html_report.render import render_report
from keepwell.model.loader import LoadedModel
from keepwell.reporting.reading import ReportError
from keepwell.reporting.report import gather_report
from keepwell.reporting.words import money
from keepwell.services.report import report_gather, write_report
from keepwell.services.workspace import workspace_init
from keepwell.warehouse.snapshots import Snapshots

from .days import LATER, publish

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}} & Söhne"
VOID = {"meta", "br", "img", "hr", "link", "input"}
QUARTER_AGO = LATER - timedelta(days=90)


class Checked(HTMLParser):
    """Collects tags and complains about ends that do not fit."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _row(customer: str, segment: str, arr: float | None = 1200.0, **more: Any) -> dict[str, Any]:
    metrics = {"m.tickets_30d": 6.0, "q.tickets_30d": 0, "m.days_to_renewal": 20.0, "q.days_to_renewal": 0}
    base = {"customer_id": customer, "name": customer, "segment": segment, "segments": (segment,), "arr": arr}
    money = {"mrr": None if arr is None else arr / 12, "renewal_date": date(2026, 4, 21), "industry": "Legal"}
    return {**base, **money, **metrics, **more}


@pytest.fixture
def published(snapshots: Snapshots, agency: LoadedModel) -> Snapshots:
    publish(snapshots, QUARTER_AGO, [_row("a", "healthy_stable"), _row("gone", "monitor", 600.0)], agency)
    rows = [
        _row("a", "revenue_at_risk", name=HOSTILE, owner_email="maya.brandt@example.com", signals=("ticket_spike",)),
        _row("b", "expansion_opportunity", 2400.0, plan=HOSTILE),
        _row("c", "monitor", None, status="trial"),
        _row("gone", "monitor", 600.0, status="churned"),
    ]
    publish(snapshots, LATER, rows, agency, warnings=["tickets: stale, <b>nothing</b> after 2026-01-01"])
    return snapshots


def _report(snapshots: Snapshots, model: LoadedModel, workspace: str = "Acme") -> tuple[str, Checked]:
    text = render_report(gather_report(snapshots, model, LATER, workspace=workspace, currency="EUR"))
    return text, Checked(text)


def test_nothing_is_fetched_and_nothing_runs(published: Snapshots, agency: LoadedModel) -> None:
    text, page = _report(published, agency)
    assert not {"script", "iframe", "img", "link", "object", "form"} & {tag for tag, _ in page.tags}
    attributes = [(name, value or "") for _, attrs in page.tags for name, value in attrs.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in ("src", "srcset", "action")]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    assert not re.search(r"url\(|@import|https?://", text)


def test_hostile_names_are_texts(published: Snapshots, agency: LoadedModel) -> None:
    text, page = _report(published, agency, workspace=HOSTILE)
    assert "<script" not in text
    assert "<img" not in text
    assert "49" not in "".join(t for t in page.texts if "Söhne" in t)
    assert sum(t.startswith(HOSTILE) for t in page.texts) >= 3
    assert "<b>nothing" not in text


def test_what_a_reader_asks_for_is_there(published: Snapshots, agency: LoadedModel) -> None:
    _, page = _report(published, agency)
    said = " ".join("".join(page.texts).split())
    for wanted in (
        "Acme has 3 customers with €3,600 ARR",
        "6 support tickets in 30 days.",
        "Renewal in 20 days",
        "Maya Brandt",
        "Call within 24 hours",
        "Upsell conversation",
        "the model puts no amount on it",
        "1 customer without a known ARR",
        agency.hash,
    ):
        assert wanted in said
    ids = {attrs.get("id") for tag, attrs in page.tags if tag == "section"}
    links = {(attrs.get("href") or "")[1:] for tag, attrs in page.tags if tag == "a"}
    assert links <= ids


def test_every_picture_says_what_it_shows(published: Snapshots, agency: LoadedModel) -> None:
    _, page = _report(published, agency)
    pictures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(pictures) > 5
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in pictures)


def test_the_first_day_of_a_workspace_has_a_report(snapshots: Snapshots, tiers: LoadedModel) -> None:
    row = _row("a", "SMB", health_score=50.0, health_raw=50.2, health_band="Needs attention", health_coverage=0.9)
    publish(snapshots, LATER, [row], tiers)
    text, _ = _report(snapshots, tiers)
    assert "No earlier snapshot to compare with" in text
    assert "Average health is 50.2" in text
    assert "too few to compare" in text


def test_a_workspace_that_lost_everybody_has_a_report(snapshots: Snapshots, agency: LoadedModel) -> None:
    publish(snapshots, LATER, [_row("gone", "monitor", status="churned")], agency)
    text, _ = _report(snapshots, agency)
    assert "Acme has no customers on 1 Apr 2026." in text


def test_the_same_snapshots_give_the_same_bytes(published: Snapshots, agency: LoadedModel) -> None:
    assert _report(published, agency)[0] == _report(published, agency)[0]


def test_the_service_writes_the_last_day_up_to_the_one_asked_for(tmp_path: Path, agency: LoadedModel) -> None:
    workspace = workspace_init(tmp_path / "ws", pack="agency-signals", name="Acme")
    with pytest.raises(ReportError, match="make the first one with 'keepwell run'"):
        report_gather(workspace)
    publish(workspace.snapshots, LATER, [_row("a", "monitor")], agency)
    path = write_report(workspace, as_of=LATER + timedelta(days=3), render=render_report)
    assert path == workspace.root / "report-2026-04-01.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [found.name for found in path.parent.glob("*.tmp")] == []


def test_a_snapshot_of_a_model_that_is_gone_is_read_with_a_warning(tmp_path: Path, agency: LoadedModel) -> None:
    workspace = workspace_init(tmp_path / "ws", pack="agency-signals", name="Acme")
    publish(workspace.snapshots, LATER, [_row("a", "monitor")], replace(agency, hash="0" * 64))
    found = report_gather(workspace)
    assert found.about.model_hash == "0" * 64
    assert any("another version of the model" in warning for warning in found.quality.warnings)


def test_a_snapshot_is_read_with_the_model_that_made_it(tmp_path: Path, tiers: LoadedModel) -> None:
    workspace = workspace_init(tmp_path / "ws", pack="agency-signals", name="Acme")
    workspace.keep_model(tiers)
    row = {"customer_id": "a", "segment": "SMB", "segments": ("SMB",), "health_score": 50.0, "health_raw": 50.0}
    publish(workspace.snapshots, LATER, [{**row, "health_band": "Needs attention"}], tiers)
    found = report_gather(workspace)
    assert (found.about.model, found.tables[0].by) == ("portfolio-segments", "tier")
    assert not any("another version" in warning for warning in found.quality.warnings)


def test_bars_fill_their_width_and_label_only_what_fits() -> None:
    bar = stacked_bar([Part("Well", 0.9, "green"), Part("Ill", 0.05, "red"), Part("None", 0.0, "gray")], "Customers")
    assert re.findall(r'x="(\d+)" y="0" width="(\d+)"', bar) == [("0", "900"), ("900", "50")]
    assert re.findall(r"<span[^>]*>([^<]+)</span>", bar) == ["90 %"]
    assert 'aria-label="Customers: Well 90 %, Ill 5 %"' in bar


@pytest.mark.parametrize(("low", "high"), [(9.02e6, 10.08e6), (0.0, 0.0), (57.0, 83.0), (-5.0, 3.0), (99.9, 100.0)])
def test_lines_stay_inside_their_axis(low: float, high: float) -> None:
    chart = line_chart([(LATER, low), (LATER + timedelta(days=40), high)], lambda value: f"{value:.10g}", "ARR")
    (drawn,) = re.findall(r'd="(M[^"]+)" class="line', chart)
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.-]+)", drawn)]
    assert all(0 <= y <= 200 for y in heights)
    assert len(set(re.findall(r'bottom:[^"]+">([^<]+)<', chart))) == 5


@pytest.mark.parametrize(
    ("low", "high"), [(1_041_000, 1_106_000), (1_100_000, 1_100_400), (41_000, 42_500), (0, 90), (250e6, 251e6)]
)
def test_an_axis_of_money_says_no_amount_twice(low: float, high: float) -> None:
    finer = [partial(money, currency="USD", finer=digits) for digits in (1, 2, 3)]
    days = [(LATER, low), (LATER + timedelta(days=40), high)]
    chart = line_chart(days, partial(money, currency="USD"), "ARR", finer=finer)
    ticks = re.findall(r"<span style=\"bottom:[^>]*>([^<]*)<", chart)
    assert len(ticks) == len(set(ticks)) == 5, ticks

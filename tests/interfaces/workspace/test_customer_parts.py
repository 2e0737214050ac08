"""Parts of the customer page: sums that are exact, dates in words, kinds and pages of the timeline, usage."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils.html import escape

from keepwell.interfaces.workspace.pages.customer_charts import score_chart, segment_ribbon
from keepwell.interfaces.workspace.pages.customer_ledger import DateError, change_shown, default_since, span_of
from keepwell.interfaces.workspace.pages.customer_shown import score_shown
from keepwell.interfaces.workspace.pages.customer_shown import test_words as words_of
from keepwell.interfaces.workspace.templatetags.customer import detailed
from keepwell.services.published import (
    HistoryPoint,
    PortfolioQuery,
    PortfolioRow,
    TimelineEntry,
    customer_changed,
    customer_explained,
    customer_history,
    customer_timeline,
    portfolio_rows,
)
from keepwell.services.workspace import Workspace
from tests.web import LAST, MakeClient

pytestmark = pytest.mark.django_db
DAYS = [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 10), date(2026, 6, 30)]


@pytest.fixture
def rows(published: Workspace) -> list[PortfolioRow]:
    return list(portfolio_rows(published, PortfolioQuery()))


@pytest.fixture
def ops(client_of: MakeClient) -> Client:
    return client_of("ops")


def test_shown_points_add_up_to_the_score(published: Workspace, rows: list[PortfolioRow]) -> None:
    checked = 0
    for row in rows[:25]:
        explained = customer_explained(published, row.customer_id)
        for score in explained.explanation.scores:
            shown = score_shown(explained, score, "EUR")
            lines = [*(part.total.amount for part in shown.parts), *(line.amount for line in shown.others)]
            if score.score is not None:
                assert sum(lines) == score.score
                checked += 1
            for part in shown.parts:
                assert sum(line.amount for line in part.lines) == part.total.amount
                for line in (part.total, *part.lines):
                    assert line.amount == round(line.amount, 1)
                    assert 0 <= line.left <= line.left + line.wide + line.rest <= 100.1
    assert checked > 25


def test_shown_changes_add_up_to_the_difference(published: Workspace, rows: list[PortfolioRow]) -> None:
    moved = 0
    for row in rows[:25]:
        dates = [point.as_of for point in customer_history(published, row.customer_id)]
        if len(dates) < 2:
            continue
        changed = customer_changed(published, row.customer_id, since=default_since(dates, LAST), as_of=LAST)
        shown = change_shown(changed, customer_explained(published, row.customer_id).compiled.model).ledger
        if shown is None or shown.difference is None:
            continue
        assert sum(part.amount for part in shown.parts) == shown.difference
        assert sum(e.amount for e in shown.entries) + shown.rest_sum == shown.difference
        assert sum((e.amount for e in shown.rest), Decimal(0)) == shown.rest_sum
        assert all(e.before != e.after for e in shown.entries if e.part == "Data" and e.label != "The day itself")
        moved += shown.difference != 0
    assert moved > 5


def test_the_changes_of_thirty_days_are_shown_at_first(ops: Client, rows: list[PortfolioRow]) -> None:
    row = next(row for row in rows if row.change_30)
    answer = ops.get(f"/customers/{row.customer_id}/changes")
    assert (answer.context["span"].until, answer.context["span"].since) == (LAST, LAST - timedelta(days=30))
    assert answer.context["change"].ledger.difference == row.change_30
    chosen = ops.get(f"/customers/{row.customer_id}/changes?since=2026-06-23&until=2026-06-30")
    assert chosen.context["change"].ledger.difference == row.change_7


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=2026-06-30&until=2026-06-01", "must be before"),
        ("since=2020-01-01", "Nothing is published of this customer on 1 Jan 2020"),
        ("until=2027-01-01", "Nothing is published of this customer on 1 Jan 2027"),
        ("since=yesterday", "is not a date such as 2026-06-30"),
        ("since=2026-02-30", "is not a date"),
    ],
)
def test_dates_that_cannot_be_shown_are_refused_in_words(
    ops: Client, rows: list[PortfolioRow], asked: str, said: str
) -> None:
    answer = ops.get(f"/customers/{rows[0].customer_id}/changes?{asked}")
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_the_earlier_date_is_the_last_published_one_that_is_early_enough() -> None:
    assert default_since(DAYS, DAYS[-1], 7) == date(2026, 6, 10)
    assert default_since(DAYS, DAYS[-1], 28) == date(2026, 6, 2)
    assert default_since(DAYS, DAYS[-1], 90) == date(2026, 6, 1)
    assert (span_of(DAYS, "", "2026-06-10").since, span_of(DAYS, "", "").since) == (DAYS[0], DAYS[0])


def test_a_day_between_published_ones_names_both_neighbours() -> None:
    with pytest.raises(DateError, match="2 Jun 2026 and 10 Jun 2026"):
        span_of(DAYS, "2026-06-05", "")
    with pytest.raises(DateError, match="one published day"):
        span_of(DAYS[:1], "", "")


def test_conditions_are_said_with_labels_settings_and_signs(published: Workspace, rows: list[PortfolioRow]) -> None:
    model = customer_explained(published, rows[0].customer_id).compiled.model
    assert words_of(model, "days_to_renewal <= setting.renewal_window") == (
        f"Days to renewal ≤ {model.settings.values['renewal_window']}"
    )
    assert words_of(model, "payment_status = 'failed'") == "Payment status = “failed”"
    assert words_of(model, "health_score < 40") == "Health score < 40"
    assert words_of(model, "tickets_30d >= 25000 or arr - 5 > -0.5") == "Tickets in 30 days ≥ 25,000 or ARR - 5 > −0.5"


def test_every_segment_of_the_customer_is_shown_with_its_tests(ops: Client, rows: list[PortfolioRow]) -> None:
    row = next(row for row in rows if row.signals)
    answer = ops.get(f"/customers/{row.customer_id}/why")
    assert {segment.name for segment, _, _ in answer.context["segments"]} == set(row.segments)
    assert len(answer.context["signals"]) == len(row.signals)
    page = answer.content.decode()
    assert all(signal.label in page for signal in answer.context["signals"])
    assert "Nearest segment that does not hold" in page
    nearest = page.split("What is missing:")[1].split("</section>")[0]
    values = [value for test in answer.context["nearest"][1] for _, value in test.values]
    assert values
    assert all(f"{value}</span>" in nearest for value in map(escape, values))
    assert 'style="' not in page


def test_the_timeline_loads_more_until_its_end(ops: Client, published: Workspace, rows: list[PortfolioRow]) -> None:
    counts = {row.customer_id: len(customer_timeline(published, row.customer_id, limit=999).entries) for row in rows}
    customer = max(counts, key=lambda one: counts[one])
    page, pages, seen = ops.get(f"/customers/{customer}/timeline").content.decode(), 1, 0
    while True:
        seen += page.count('class="kw-event"')
        more = re.search(r'hx-get="([^"]*before=[^"]*)"', page)
        if not more:
            break
        page, pages = ops.get(more.group(1).replace("&amp;", "&")).content.decode(), pages + 1
    assert seen == counts[customer] > 30
    assert pages >= 2


def test_a_group_of_the_timeline_shows_its_kinds_alone(ops: Client, rows: list[PortfolioRow]) -> None:
    shown = [
        entry.entry.kind
        for row in rows[:10]
        for entry in ops.get(f"/customers/{row.customer_id}/timeline?group=money").context["entries"]
    ]
    assert set(shown) == {"payment", "invoice"}


@pytest.mark.parametrize(
    "part", ["timeline?before=x&group=evil", "timeline?before=0001-01-01T00:00:00%2B23:59", "usage?days=99999999999"]
)
def test_nonsense_in_an_address_is_left_out(ops: Client, rows: list[PortfolioRow], part: str) -> None:
    assert ops.get(f"/customers/{rows[0].customer_id}/{part}").status_code == 200


@pytest.mark.parametrize("days", [30, 90, 180])
def test_usage_covers_the_days_asked_for(ops: Client, rows: list[PortfolioRow], days: int) -> None:
    answer = ops.get(f"/customers/{rows[0].customer_id}/usage?days={days}")
    usage, chart = answer.context["usage"], answer.context["chart"]
    assert (len(usage.days), usage.last) == (days, LAST)
    assert sum(chart["series"][0]["data"]) == answer.context["events"]


def point(day: date, segment: str | None, score: int | None = None) -> HistoryPoint:
    return HistoryPoint(day, score, None, 0.5, None, None, segment, None, None, "active")


def test_a_ribbon_covers_every_day_once(published: Workspace, rows: list[PortfolioRow]) -> None:
    model = customer_explained(published, rows[0].customer_id).compiled.model
    names = ["healthy_stable", "healthy_stable", "engagement_drop", None]
    ribbon = segment_ribbon([point(day, name) for day, name in zip(DAYS, names, strict=True)], model)
    assert [(one.label, one.days) for one in ribbon] == [("Healthy & stable", 9), ("Engagement drop", 20), ("None", 1)]
    assert sum(one.wide for one in ribbon) == pytest.approx(100, abs=0.1)
    assert segment_ribbon([], model) == ()


def test_a_day_without_a_score_is_a_gap(published: Workspace, rows: list[PortfolioRow]) -> None:
    model = customer_explained(published, rows[0].customer_id).compiled.model
    chart = score_chart([point(DAYS[0], None, 40), point(DAYS[1], None)], model.scores["health"].bands)
    assert chart["series"][0]["data"] == [["2026-06-01", 40], ["2026-06-02", None]]
    areas = chart["series"][0]["markArea"]["data"]
    assert areas[0][0]["yAxis"] == 0
    assert areas[-1][1]["yAxis"] == 100
    assert [upper["yAxis"] for _, upper in areas[:-1]] == [lower["yAxis"] for lower, _ in areas[1:]]


@pytest.mark.parametrize(
    ("kind", "told", "shown"),
    [
        ("invoice", "due 2026-06-24 · paid 2026-06-23", "due 24 Jun 2026 · paid 23 Jun 2026"),
        ("subscription", "price_increase · effective 2026-05-03", "price increase · effective 3 May 2026"),
        ("note", "see 2026-05-03_notes", "see 2026-05-03_notes"),
    ],
)
def test_the_timeline_says_days_in_words(kind: str, told: str, shown: str) -> None:
    entry = TimelineEntry(
        at=datetime(2026, 6, 1, tzinfo=UTC), kind=kind, title="x", detail=told, amount=None, ref="1", person=None
    )
    assert detailed(entry) == shown

"""One customer's pages, held against what is published and loaded."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from keepwell.reporting.words import metric_words
from keepwell.services.explaining import explain_change, explain_customer
from keepwell.services.loading import load_files
from keepwell.services.published import (
    EVERYONE,
    TIMELINE_KINDS,
    PortfolioQuery,
    TimelineEntry,
    customer_changed,
    customer_currency,
    customer_current,
    customer_explained,
    customer_history,
    customer_owner,
    customer_people,
    customer_subscriptions,
    customer_timeline,
    customer_usage,
    next_band,
    portfolio_page,
    portfolio_rows,
    portfolio_summary,
    publish_copies,
)
from keepwell.services.reading import read_published
from keepwell.services.runs import run_day
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.facts import fact_days, scan
from keepwell.warehouse.lock import lock_acquire, lock_release
from keepwell.warehouse.tables import EVENTS

from .conftest import DAYS, LAST, NOW, put


def busiest(workspace: Workspace) -> str:
    """A customer of whom there is much to see."""
    rows = portfolio_page(workspace, PortfolioQuery(statuses=("active",), limit=1000)).rows
    counts = {row.customer_id: len(customer_timeline(workspace, row.customer_id, limit=1000).entries) for row in rows}
    return max(counts, key=lambda key: (counts[key], key))


def test_own_amounts_are_in_the_customers_currency(bare: Workspace) -> None:
    put(bare, "customers.csv", "customer_id,name,currency", "c-1,Acme,gbp ", "c-2,Beta,")
    load_files(bare, paths=[bare.root / "in" / "customers.csv"], now=NOW)
    run_day(bare, as_of=LAST + timedelta(days=1))
    publish_copies(bare)
    found = [customer_currency(bare, customer) for customer in ("c-1", "c-2", "nobody")]
    assert found == ["GBP", bare.currency, bare.currency]


def test_owner_and_history(scored: Workspace) -> None:
    row = portfolio_page(scored, PortfolioQuery(limit=1)).rows[0]
    owner = customer_owner(scored, row.customer_id)
    assert owner is not None
    assert (owner.name, owner.owner_email, owner.status) == (row.name, row.owner_email, row.status)
    assert customer_owner(scored, "nobody") is None
    points = customer_history(scored, row.customer_id, days=10)
    assert [point.as_of for point in points] == [LAST - timedelta(days=back) for back in range(9, -1, -1)]
    for point in points:
        (own,) = read_published(scored, point.as_of).rows(customer=row.customer_id)
        assert (point.score, point.band, point.risk_score, point.segment, point.arr) == (
            own["health_score"], own["health_band"], own["churn_risk_score"], own["segment"], own["arr"],
        )  # fmt: skip
    assert len(customer_history(scored, row.customer_id, days=1000)) <= DAYS
    assert customer_history(scored, "nobody") == ()


def test_a_timeline_has_everything_once_in_pages(scored: Workspace) -> None:
    customer = busiest(scored)
    paged: list[TimelineEntry] = []
    before: datetime | None = None
    while True:
        page = customer_timeline(scored, customer, before=before, limit=3)
        paged += page.entries
        before = page.next_before
        if before is None:
            break
    whole = customer_timeline(scored, customer, limit=10_000)
    assert tuple(paged) == whole.entries
    assert whole.next_before is None
    assert [entry.at for entry in paged] == sorted((entry.at for entry in paged), reverse=True)
    assert {entry.kind for entry in paged} <= set(TIMELINE_KINDS)
    with scored.warehouse("test") as warehouse:
        for kind, table in (("ticket", "tickets"), ("interaction", "interactions"), ("payment", "payments")):
            (count,) = warehouse.connection.execute(
                f"SELECT count(*) FROM {table} JOIN customer_keys USING (customer) WHERE customer_id = ?", [customer]
            ).fetchone() or (0,)
            only = customer_timeline(scored, customer, kinds=(kind,), limit=10_000).entries
            assert len(only) == count == Counter(entry.kind for entry in paged)[kind]


def test_what_happened_at_one_moment_is_not_torn_apart(scored: Workspace) -> None:
    customer = busiest(scored)
    entries = customer_timeline(scored, customer, limit=10_000).entries
    moments = Counter(entry.at for entry in entries)
    assert max(moments.values()) > 1, "a world without simultaneous entries cannot show it"
    for limit in (1, 2, 5):
        page = customer_timeline(scored, customer, limit=limit)
        counts = Counter(entry.at for entry in page.entries)
        assert all(counts[moment] == moments[moment] for moment in counts)


def test_usage_by_day_and_name(scored: Workspace) -> None:
    customer = busiest(scored)
    usage = customer_usage(scored, customer, days=30)
    assert [day.day for day in usage.days] == [LAST - timedelta(days=back) for back in range(29, -1, -1)]
    with scored.warehouse("test") as warehouse:
        found = [fact.path for day, fact in fact_days(warehouse, EVENTS).items() if day >= usage.first]
        rows = warehouse.connection.execute(
            "SELECT s.text, CAST(occurred_at AS DATE), count(*), count(DISTINCT person) FROM"
            f" {scan(found)} f JOIN customer_keys k USING (customer) JOIN symbols s ON s.code = f.name"
            " AND s.kind = 'events.name' WHERE k.customer_id = ? GROUP BY ALL",
            [customer],
        ).fetchall()
    by_day: Counter[date] = Counter()
    by_name: Counter[str] = Counter()
    for name, day, count, _ in rows:
        by_day[day] += count
        by_name[name] += count
    assert {day.day: day.events for day in usage.days if day.events} == dict(by_day)
    assert {use.name: use.count for use in usage.events} == dict(by_name)
    assert usage.features
    assert not usage.silent
    assert customer_usage(scored, "nobody", days=7).silent


def test_people_and_subscriptions(scored: Workspace) -> None:
    customer = busiest(scored)
    people = customer_people(scored, customer)
    assert people
    left = [person.left_company_at is not None for person in people]
    assert left == sorted(left)
    assert any(person.email for person in people)
    running = customer_subscriptions(scored, customer)[0]
    assert running.ended_at is None
    assert isinstance(running.mrr, float)
    assert customer_people(scored, "nobody") == ()


def test_the_current_customer(scored: Workspace) -> None:
    customer = busiest(scored)
    now = customer_current(scored, customer)
    assert now is not None
    published = read_published(scored)
    (own,) = published.rows(customer=customer)
    assert {metric.name: metric.value for metric in now.metrics} == {
        name.removeprefix("m."): value for name, value in own.items() if name.startswith("m.")
    }
    assert all((metric.value is None) == (not metric.known) for metric in now.metrics)
    health = next(score for score in now.scores if score.name == "health")
    assert (health.score, health.band, health.color) == (own["health_score"], own["health_band"], now.row.color)
    words = next(metric for metric in now.metrics if metric.name == "mrr").words
    assert words == metric_words(own["m.mrr"], published.model.model.metrics["mrr"], scored.currency)
    assert now.freshness["events"] == LAST
    assert customer_current(scored, "nobody") is None


def test_who_left_has_no_scores_and_is_explained_as_of_before(own: Workspace) -> None:
    row = portfolio_page(own, PortfolioQuery(statuses=("active",))).rows[0]
    line = f"{row.customer_id},{row.name},churned,2026-06-29 10:00,2026-06-29 10:00"
    load_files(own, paths=[put(own, "customers.csv", "customer_id,name,status,churned_at,synced_at", line)], now=NOW)
    run_day(own, as_of=LAST)
    publish_copies(own)
    now = customer_current(own, row.customer_id)
    assert now is not None
    assert (now.row.status, now.scores, now.metrics) == ("churned", (), ())
    explained = customer_explained(own, row.customer_id)
    assert explained.published.as_of == date(2026, 6, 28)
    assert "explained as of 28 Jun 2026" in explained.notes[0]
    assert customer_history(own, row.customer_id, days=3)[0].status == "active"
    assert row.customer_id not in {r.customer_id for r in portfolio_rows(own, PortfolioQuery())}
    week = portfolio_summary(own, EVERYONE).week
    assert week is not None
    assert week.left == 1


def test_explained_as_by_the_command_line_without_the_warehouse(scored: Workspace) -> None:
    customer = busiest(scored)
    there = explain_customer(scored, customer=customer)
    changed = explain_change(scored, there, since=LAST - timedelta(days=20))
    lock = lock_acquire(scored.data_dir / "warehouse.lock", doing="test", wait_seconds=0, on_wait=None)
    try:
        here = customer_explained(scored, customer)
        assert here.explanation == there.explanation
        assert customer_changed(scored, customer, since=LAST - timedelta(days=20)) == changed
    finally:
        lock_release(lock)
    with pytest.raises(WorkspaceError, match="no customer 'nobody'"):
        customer_explained(scored, "nobody")
    with pytest.raises(WorkspaceError, match="must be before"):
        customer_changed(scored, customer, since=LAST)


def test_the_way_to_the_next_band(scored: Workspace) -> None:
    rows = portfolio_page(scored, PortfolioQuery(limit=1000, sort="score", descending=False)).rows
    row = next(row for row in rows if row.score is not None)
    found = next_band(scored, row.customer_id)
    assert found is not None
    assert (found.score, found.now) == ("health", row.score)
    assert found.needs == found.now + found.points
    bands = {band.name: band.start for band in read_published(scored).model.model.scores["health"].bands}
    assert bands[found.band] == found.needs
    assert [move.points for move in found.movers] == sorted((move.points for move in found.movers), reverse=True)
    assert all(move.label and move.points > 0 for move in found.movers)
    assert any(move.target for move in found.movers)


def test_no_next_band_without_a_score_or_in_the_best_one(scored: Workspace, grouped: Workspace) -> None:
    best = next(r for r in portfolio_page(scored, PortfolioQuery(sort="score")).rows if r.band == "Thriving")
    assert next_band(scored, best.customer_id) is None
    assert next_band(grouped, best.customer_id) is None

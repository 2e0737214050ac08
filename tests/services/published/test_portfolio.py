"""Lists and sums of customers, held against the published rows themselves."""

from dataclasses import replace
from datetime import timedelta
from math import fsum

import pytest

from keepwell.reporting.portfolio import portfolio
from keepwell.reporting.reading import day_back
from keepwell.services.published import (
    EVERYONE,
    SORTS,
    PortfolioQuery,
    PortfolioRow,
    Scope,
    customers_named,
    portfolio_choices,
    portfolio_page,
    portfolio_rows,
    portfolio_summary,
)
from keepwell.services.reading import Row, read_published
from keepwell.services.workspace import Workspace

from .conftest import LAST

ALL = PortfolioQuery(limit=1000, sort="customer_id", descending=False)


def plain(workspace: Workspace, back: int = 0) -> dict[str, Row]:
    """The published rows of those who are customers, by id."""
    rows = read_published(workspace, LAST - timedelta(days=back)).rows()
    return {row["customer_id"]: row for row in rows if row["status"] != "churned"}


def ids(workspace: Workspace, query: PortfolioQuery) -> list[str]:
    return [row.customer_id for row in portfolio_page(workspace, query).rows]


def matching(workspace: Workspace, query: PortfolioQuery) -> set[str]:
    return set(ids(workspace, replace(query, limit=1000)))


def test_a_row_says_what_the_snapshots_say(scored: Workspace) -> None:
    now, week = plain(scored), plain(scored, 7)
    rows = portfolio_page(scored, ALL).rows
    assert [row.customer_id for row in rows] == sorted(now)
    for row in rows:
        own = now[row.customer_id]
        assert (row.name, row.arr, row.score, row.band) == (
            own["name"], own["arr"], own["health_score"], own["health_band"],
        )  # fmt: skip
        assert (row.segments, row.signals) == (tuple(own["segments"]), tuple(own["signals"]))
        before = week.get(row.customer_id, {}).get("health_score")
        assert row.change_7 == (None if before is None or row.score is None else row.score - before)
        if row.score is not None:
            assert row.sparkline[-1] == row.score
        if row.renewal_date is not None and own["m.days_to_renewal"] is not None:
            assert row.days_to_renewal == own["m.days_to_renewal"]
    assert any(row.reasons for row in rows)
    assert all(len(row.reasons) <= 2 for row in rows)
    assert any(row.last_touch_at for row in rows)


def test_pages_and_exports_have_the_same_order(scored: Workspace) -> None:
    query = PortfolioQuery(limit=7)
    paged = [i for start in range(0, 70, 7) for i in ids(scored, replace(query, offset=start))]
    assert paged == [row.customer_id for row in portfolio_rows(scored, query)]
    page = portfolio_page(scored, query)
    assert page.total == len(paged)
    assert page.arr == pytest.approx(fsum(row["arr"] or 0 for row in plain(scored).values()))


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("descending", [True, False])
def test_unknown_values_come_last(scored: Workspace, sort: str, descending: bool) -> None:
    rows = portfolio_page(scored, PortfolioQuery(limit=1000, sort=sort, descending=descending)).rows
    assert len({row.customer_id for row in rows}) == len(rows)
    name = {"band": "score", "tenure": "tenure_months"}.get(sort, sort)
    values = [getattr(row, name) for row in rows]
    known = [v.lower() if isinstance(v, str) and name != "segment" else v for v in values if v is not None]
    assert known == sorted(known, reverse=descending)
    assert values[len(known) :] == [None] * (len(values) - len(known))


def test_an_unknown_sort_and_strange_words_do_no_harm(scored: Workspace) -> None:
    usual = ids(scored, PortfolioQuery())
    assert ids(scored, PortfolioQuery(sort="name; DROP TABLE x")) == usual
    assert ids(scored, PortfolioQuery(search="' OR 1=1 --")) == []
    assert ids(scored, PortfolioQuery(industries=("') OR true --",))) == []


def test_filters(scored: Workspace) -> None:
    now = plain(scored)

    def expected(test: object) -> set[str]:
        assert callable(test)
        return {key for key, row in now.items() if test(row)}

    band = next(iter(now.values()))["health_band"]
    segment = next(row["segments"][-1] for row in now.values() if row["segments"])
    industry = next(row["industry"] for row in now.values() if row["industry"])
    assert matching(scored, PortfolioQuery(bands=(band,))) == expected(lambda r: r["health_band"] == band)
    assert matching(scored, PortfolioQuery(segments=(segment,))) == expected(lambda r: segment in r["segments"])
    assert matching(scored, PortfolioQuery(industries=(industry,))) == expected(lambda r: r["industry"] == industry)
    assert matching(scored, PortfolioQuery(arr_min=5000, arr_max=20000)) == expected(
        lambda r: r["arr"] is not None and 5000 <= r["arr"] <= 20000
    )
    assert matching(scored, PortfolioQuery(renewal_within=60)) == expected(
        lambda r: r["m.days_to_renewal"] is not None and r["m.days_to_renewal"] <= 60
    )
    word = next(iter(now.values()))["name"].split()[0]
    assert matching(scored, PortfolioQuery(search=word.upper())) >= expected(lambda r: word in r["name"])
    assert matching(scored, PortfolioQuery(ids=frozenset({*list(now)[:2], "nobody"}))) == set(list(now)[:2])
    left = portfolio_page(scored, PortfolioQuery(statuses=("churned",), limit=1000)).rows
    assert all(row.status == "churned" and row.score is None for row in left)


def test_who_fell_and_who_rose(scored: Workspace) -> None:
    rows = portfolio_page(scored, ALL).rows
    fell = {row.customer_id for row in rows if row.change_7 is not None and row.change_7 <= -5}
    rose = {row.customer_id for row in rows if row.change_30 is not None and row.change_30 >= 3}
    assert matching(scored, PortfolioQuery(changed_by=-5)) == fell
    assert matching(scored, PortfolioQuery(changed_by=3, changed_days=30)) == rose
    assert fell
    assert rose


def test_a_scope_hides_the_customers_of_others_everywhere(scored: Workspace) -> None:
    rows = portfolio_page(scored, ALL).rows
    owner = str(rows[0].owner_email)
    mine = Scope(frozenset({owner.upper()}), unassigned=False)
    own = {row.customer_id for row in rows if row.owner_email == owner}
    assert 0 < len(own) < len(rows)
    assert matching(scored, PortfolioQuery(scope=mine)) == own
    assert {row.customer_id for row in portfolio_rows(scored, PortfolioQuery(scope=mine))} == own
    # Filters narrow what may be seen, they never widen it.
    others = PortfolioQuery(scope=mine, owners=tuple({str(row.owner_email) for row in rows}))
    assert matching(scored, others) == own
    assert portfolio_summary(scored, mine).customers == len(own)
    assert [choice.name for choice in portfolio_choices(scored, mine).owners] == [owner.lower()]
    nobody = Scope(frozenset(), unassigned=False)
    assert portfolio_page(scored, PortfolioQuery(scope=nobody)).total == 0
    assert portfolio_summary(scored, nobody).customers == 0


def test_customers_without_owner_are_unassigned(bare: Workspace) -> None:
    assert matching(bare, PortfolioQuery(scope=Scope(frozenset({"a@b.example"})))) == {"c-1", "c-2", "c-3"}
    assert matching(bare, PortfolioQuery(scope=Scope(frozenset({"a@b.example"}), unassigned=False))) == set()
    assert matching(bare, PortfolioQuery(owners=("",))) == {"c-1", "c-2", "c-3"}
    (none,) = portfolio_choices(bare, EVERYONE).owners
    assert (none.name, none.label, none.customers) == ("", "No owner", 3)


def test_the_summary_agrees_with_the_report(scored: Workspace) -> None:
    summary = portfolio_summary(scored, EVERYONE)
    model = read_published(scored).model
    report = portfolio(scored.snapshots, model, LAST)
    assert (summary.customers, summary.arr) == (report.totals.customers, pytest.approx(report.totals.arr))
    assert summary.mean_score == pytest.approx(report.totals.average_score)
    assert summary.weighted_score == pytest.approx(report.totals.weighted_score)
    assert [(g.name, g.customers, g.color) for g in summary.bands] == [
        (b.name, b.customers, b.color) for b in report.bands
    ]
    assert summary.week is not None
    assert report.week is not None
    assert (summary.week.since, summary.week.customers) == (report.week.since, report.week.customers)
    assert summary.week.arr == pytest.approx(report.week.arr, abs=0.02)
    assert summary.week.mean_score == pytest.approx(report.week.average_score)
    assert sum(group.week_customers or 0 for group in summary.bands) == summary.week.customers
    for groups in (summary.bands, summary.segments, summary.owners, summary.industries, summary.tenures):
        assert sum(group.customers for group in groups) == summary.customers
        assert fsum(group.arr for group in groups) == pytest.approx(summary.arr, abs=0.1)


def test_the_steepest_declines(scored: Workspace) -> None:
    summary = portfolio_summary(scored, EVERYONE)
    rows = [row for row in portfolio_page(scored, ALL).rows if (row.change_7 or 0) < 0]
    steepest = sorted(rows, key=lambda row: (row.change_7, -(row.arr or 0), row.customer_id))[:10]
    assert [d.customer_id for d in summary.declines] == [row.customer_id for row in steepest]
    then = plain(scored, 7)
    assert all(d.band_before == then[d.customer_id]["health_band"] for d in summary.declines)
    assert day_back(scored.snapshots, LAST, 7) == LAST - timedelta(days=7)


def test_without_a_score_segments_take_the_place_of_bands(grouped: Workspace) -> None:
    summary = portfolio_summary(grouped, EVERYONE)
    assert summary.divided_by == "segments"
    assert summary.mean_score is None
    assert summary.bands == summary.segments
    assert sum(group.customers for group in summary.bands) == summary.customers
    assert {group.label for group in summary.bands} & {"Revenue at risk", "Healthy & stable", "Monitor"}
    assert summary.declines == ()
    page = portfolio_page(grouped, PortfolioQuery(sort="score"))
    assert page.total == summary.customers
    assert all(row.band is None and row.sparkline == () and row.segment for row in page.rows)
    assert portfolio_choices(grouped, EVERYONE).bands == ()


def test_customers_by_id_in_one_query(scored: Workspace) -> None:
    rows = portfolio_page(scored, ALL).rows
    wanted: list[PortfolioRow] = [rows[3], rows[0]]
    found = customers_named(scored, [row.customer_id for row in wanted] + ["nobody"])
    assert found == {row.customer_id: row for row in wanted}
    assert customers_named(scored, []) == {}

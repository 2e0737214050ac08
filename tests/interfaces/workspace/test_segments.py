"""Pages of segments: figures as the command line has them, dates, flows, and only the customers one may see."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keepwell.services.figures import movement_compared, segments_compared
from keepwell.services.published import EVERYONE, PortfolioQuery, portfolio_rows
from keepwell.services.workspace import Workspace
from tests.web import LAST, MakeClient

pytestmark = pytest.mark.django_db
FIGURES = {"HX-Request": "true", "HX-Target": "figures"}


@pytest.fixture
def ops(client_of: MakeClient) -> Client:
    return client_of("ops")


def figures(client: Client, address: str) -> Any:
    answer = client.get(address, headers=FIGURES)
    assert answer.status_code == 200
    assert "problem" not in answer.context, answer.context.get("problem")
    return answer.context


def test_a_page_comes_at_once_and_asks_for_its_figures(ops: Client) -> None:
    for address in ("/segments", "/segments/compare", "/segments/movement", "/segments/overlap", "/segments/SMB"):
        page = ops.get(address)
        assert page.status_code == 200
        assert f'hx-get="{address}"'.encode() in page.content
        assert b"style=" not in page.content
        assert "HX-Request" in page["Vary"]
        assert b"<table" in ops.get(address, headers=FIGURES).content or address == "/segments/overlap"


@pytest.mark.parametrize("by", ["primary", "tier", "bands"])
def test_the_overview_has_the_figures_of_show_segments(ops: Client, published: Workspace, by: str) -> None:
    shown = figures(ops, f"/segments?by={by}")["shown"]
    expected = segments_compared(published, by=by)
    # A child stands below its parent; otherwise the order is the same.
    names = [line.row.name for line in shown.lines]
    rows = {row.name: row for row in expected.rows if row.customers or row.name in names}
    assert {line.row.name: line.row for line in shown.lines} == rows
    assert len(names) == len(rows)
    outer = [line.row.name for line in shown.lines if not line.depth]
    assert outer == [name for name in rows if name in outer]
    assert shown.total.row == expected.total
    assert sum(line.change for line in shown.lines) == shown.total.change


@pytest.mark.parametrize("by", ["primary", "tier", "bands"])
def test_movement_has_the_figures_of_show_movement(ops: Client, published: Workspace, by: str) -> None:
    first = LAST - timedelta(days=20)
    found = figures(ops, f"/segments/movement?by={by}&from={first}&to={LAST}")["found"]
    assert found == movement_compared(published, first=first, last=LAST, by=by)


def test_a_flow_lists_its_customers(ops: Client) -> None:
    shown = figures(ops, "/segments/movement")
    for move, _, _, query in shown["flows"]:
        listed = figures(ops, f"/segments/movement?source={query['source']}&target={query['target']}")
        assert len(listed["movers"]) == move.customers
    joined = figures(ops, "/segments/movement?kind=joined")
    assert len(joined["movers"]) == shown["found"].customers("joined")


def test_dates_that_are_not_published_give_the_nearest_before(ops: Client) -> None:
    asked = ops.get("/segments?to=2030-01-01&from=1999-01-01").context["asked"]
    assert asked.period.last == LAST
    assert asked.period.first == asked.period.dates[0]
    assert "1 Jan 2030 is not published" in asked.note
    assert ops.get("/segments?to=nonsense&by=nothing").status_code == 200
    earliest = asked.period.dates[0]
    alone = ops.get(f"/segments/movement?to={earliest}", headers=FIGURES)
    assert "needs an earlier one" in alone.context["problem"]


def test_a_profile_counts_as_the_overview_does(ops: Client) -> None:
    for line in figures(ops, "/segments")["shown"].lines:
        profile = figures(ops, f"/segments/{line.row.name}")
        assert profile["profile"].segment == line.row
        assert len(profile["members"]) == line.row.customers
        trend = ops.get(f"/segments/{line.row.name}?part=trend").context["points"]
        assert trend[-1].customers == line.row.customers
        assert trend[-1].as_of == LAST


def test_a_profile_of_an_earlier_date_has_the_members_of_that_date(ops: Client) -> None:
    day = LAST - timedelta(days=10)
    counts = {line.row.name: line.row.customers for line in figures(ops, f"/segments?to={day}")["shown"].lines}
    for name, customers in counts.items():
        assert len(figures(ops, f"/segments/{name}?to={day}")["members"]) == customers


def test_there_is_no_page_of_a_segment_that_does_not_exist(ops: Client) -> None:
    assert ops.get("/segments/nothing").status_code == 404


def test_chosen_segments_are_compared_with_everybody(ops: Client) -> None:
    shown = figures(ops, "/segments/compare?segment=SMB&segment=healthy_stable&segment=evil")
    assert [line.row.label for line in shown["lines"]] == ["SMB", "Healthy & stable"]
    all_of = figures(ops, "/segments/compare?by=tier")
    assert sum(line.row.customers for line in all_of["lines"]) == int(all_of["rows"][0].cells[-1][0])


def test_overlap_is_symmetric_and_within_each_segment(ops: Client) -> None:
    rows = figures(ops, "/segments/overlap?dimension=primary&dimension=tier&measure=jaccard")["found"].rows
    assert len(rows) > 4
    for i, row in enumerate(rows):
        assert row.cells[i].customers == row.customers
        assert row.cells[i].jaccard == 1
        for j, cell in enumerate(row.cells):
            assert cell.customers == rows[j].cells[i].customers <= min(row.customers, rows[j].customers)


def test_a_csm_sees_figures_of_the_own_book_alone(client_of: MakeClient, published: Workspace) -> None:
    rows = list(portfolio_rows(published, PortfolioQuery(scope=EVERYONE)))
    owner = next(row.owner_email for row in rows if row.owner_email)
    mine = {row.customer_id for row in rows if row.owner_email in (owner, None)}
    csm = client_of("csm", email=owner)
    shown = figures(csm, "/segments")["shown"]
    assert shown.total.row.customers == len(mine) < len(rows)
    for line in shown.lines:
        members = figures(csm, f"/segments/{line.row.name}")["members"]
        assert {member.customer_id for member in members} <= mine
        assert csm.get(f"/segments/{line.row.name}?part=trend").context["points"][-1].customers == line.row.customers
    left = portfolio_rows(published, PortfolioQuery(statuses=("churned",)))
    seen = {row.customer_id for row in left if row.owner_email in (owner, None)} | mine
    found = figures(csm, "/segments/movement?kind=stayed")
    assert {mover.customer_id for mover in found["found"].movers} <= seen
    assert b"All customers" in csm.get("/segments", headers=FIGURES).content


def test_strangers_sign_in_first(published: Workspace) -> None:
    for address in ("/segments", "/segments/compare", "/segments/movement", "/segments/overlap", "/segments/SMB"):
        assert Client().get(address).status_code == 302


def test_a_model_without_a_score_has_all_pages(client_of: MakeClient, signals: Workspace) -> None:
    ops = client_of("ops")
    for address in ("/segments", "/segments/compare", "/segments/movement", "/segments/overlap", "/segments/monitor"):
        figures(ops, address)
    assert ops.get("/segments/new").status_code == 200
    total = figures(ops, "/segments")["shown"].total
    assert total.row.health.value is None
    assert total.row == segments_compared(signals).total


def test_dates_in_the_wrong_order_are_turned_round(client_of: MakeClient) -> None:
    ops, first = client_of("ops"), LAST - timedelta(days=20)
    asked = [ops.get(f"/segments/movement?from={a}&to={b}").context for a, b in ((first, LAST), (LAST, first))]
    assert asked[0]["asked"].period == asked[1]["asked"].period


def test_a_hierarchy_is_seen_from_both_sides(client_of: MakeClient, published: Workspace) -> None:
    ops = client_of("ops")
    inner = ops.get("/segments/expansion_opportunity").content.decode()
    assert 'within <a href="/segments/healthy_stable">Healthy &amp; stable</a>' in inner
    outer = ops.get("/segments/healthy_stable").content.decode()
    assert 'Within it: <a href="/segments/expansion_opportunity">Expansion opportunity</a>' in outer
    lines = ops.get("/segments", headers={"HX-Request": "true", "HX-Target": "figures"}).context["shown"].lines
    depths = {line.row.name: line.depth for line in lines}
    assert depths["healthy_stable"] == 0
    assert depths.get("expansion_opportunity", 1) == 1

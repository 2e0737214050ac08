"""The portfolio: filters, order, scope, views and exports."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import Client
from openpyxl import load_workbook

from keepwell.interfaces.workspace.portfolio_query import address_of
from keepwell.interfaces.workspace.tables_out import csv_chunks, safe_text, xlsx_file
from keepwell.services.published import EVERYONE, PortfolioQuery, portfolio_rows
from keepwell.services.workspace import Workspace, workspace_init
from keepwell.store.models import AuditEntry, Hold, SavedView
from tests.web import LAST, MakeClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops(client_of: MakeClient) -> Client:
    return client_of("ops")


def names(client: Client, address: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200
    return [row.name for row in answer.context["shown"].rows]


def test_the_table_shows_customers_in_the_order_asked_for(ops: Client) -> None:
    arrs = [row.arr for row in ops.get("/portfolio?sort=arr").context["shown"].rows if row.arr is not None]
    assert arrs == sorted(arrs)
    assert names(ops, "/portfolio?sort=name") == sorted(names(ops, "/portfolio?sort=name"), key=str.lower)


def test_filters_narrow_and_say_what_is_set(ops: Client) -> None:
    everybody = ops.get("/portfolio").context["shown"].total
    answer = ops.get("/portfolio?arr_min=10000&sort=-score&band=nonsense")
    assert answer.context["shown"].total == 0
    assert [chip.label for chip in answer.context["chips"]] == ["Band: nonsense", "ARR from 10,000"]
    assert b"No customers match" in answer.content
    assert 0 < ops.get("/portfolio?arr_min=10000").context["shown"].total < everybody


@pytest.mark.parametrize(
    "address", ["?page=abc", "?arr_min=x&sort=evil;drop", "?page=99999999999", "?changed_by=1e999", "?segment=%01"]
)
def test_nonsense_in_the_address_is_left_out(ops: Client, address: str) -> None:
    assert ops.get(f"/portfolio{address}").status_code == 200


def test_a_csm_sees_the_own_book_and_customers_without_owner(client_of: MakeClient, published: Workspace) -> None:
    rows = list(portfolio_rows(published, PortfolioQuery(scope=EVERYONE)))
    owner = next(row.owner_email for row in rows if row.owner_email)
    mine = {row.customer_id for row in rows if row.owner_email in (owner, None)}
    csm = client_of("csm", email=owner)
    assert {row.customer_id for row in csm.get("/portfolio").context["shown"].rows} <= mine
    assert csm.get("/portfolio").context["shown"].total == len(mine) < len(rows)
    exported = csv.DictReader(
        io.StringIO(b"".join(csm.get("/portfolio/export.csv").streaming_content).decode("utf-8-sig"))
    )
    assert {row["customer_id"] for row in exported} == mine
    assert csm.get("/portfolio/overview").context["summary"].customers == len(mine)


def test_exports_hold_all_matching_rows_and_are_written_down(ops: Client) -> None:
    total = ops.get("/portfolio").context["shown"].total
    book = load_workbook(io.BytesIO(b"".join(ops.get("/portfolio/export.xlsx").streaming_content)))
    assert book.active is not None
    assert book.active.max_row == total + 1
    assert AuditEntry.objects.filter(action="export.portfolio").count() == 1


def test_spreadsheets_take_no_cell_for_a_formula() -> None:
    rows = [["=1+1", "@x", "-2", -2.5, None, "plain", True]]
    text = b"".join(csv_chunks(["+a", "b", "c", "d", "e", "f", "g"], rows)).decode("utf-8-sig")
    assert text.splitlines() == ["'+a,b,c,d,e,f,g", "'=1+1,'@x,'-2,-2.5,,plain,yes"]
    sheet = load_workbook(xlsx_file(["a"], [["=1+1"], [3]], "T")).active
    assert sheet is not None
    assert (sheet["A2"].value, sheet["A2"].data_type, sheet["A3"].value) == ("'=1+1", "s", 3)
    assert safe_text("\t=1") == "'\t=1"


def test_days_are_days_in_a_workbook() -> None:
    moment = datetime(2026, 6, 30, 9, 30, tzinfo=UTC)
    sheet = load_workbook(xlsx_file(["day", "at"], [[LAST, moment]], "T")).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]] == [datetime(2026, 6, 30), moment.replace(tzinfo=None)]  # noqa: DTZ001


def test_views_are_saved_opened_and_deleted(ops: Client) -> None:
    ops.post("/portfolio/views", {"name": "Big", "query": "?arr_min=10000&sort=-arr&page=3"})
    view = SavedView.objects.get()
    assert view.query == {"arr_min": ["10000"], "sort": ["-arr"]}
    assert ops.get(f"/portfolio/views/{view.pk}")["Location"] == "/portfolio?arr_min=10000&sort=-arr"
    ops.post(f"/portfolio/views/{view.pk}/delete")
    assert not SavedView.objects.exists()


def test_queries_do_not_grow_with_views(ops: Client, django_assert_max_num_queries: object) -> None:
    counts = []
    for number in (1, 3):
        while SavedView.objects.count() < number:
            ops.post("/portfolio/views", {"name": f"View {SavedView.objects.count()}", "query": "?sort=name"})
        with django_assert_max_num_queries(20) as counted:  # type: ignore[operator]
            ops.get("/portfolio")
        counts.append(len(counted))
    assert counts[0] == counts[1]


def test_an_address_is_written_back() -> None:
    address = address_of(QueryDict("owner=-&owner=a%40b.c&page=2&x=1"))
    assert address.query(EVERYONE).owners == ("", "a@b.c")
    assert address.query(EVERYONE).offset == 50
    assert address.with_() == "?owner=-&owner=a%40b.c"


def test_what_somebody_said_of_a_customer_is_shown(ops: Client, published: Workspace) -> None:
    row = next(portfolio_rows(published, PortfolioQuery(limit=1)))
    Hold.objects.create(customer_id=row.customer_id, kind=Hold.Kind.RESOLVED, segment="healthy_stable", since=LAST)
    assert (
        b'Healthy &amp; stable <span class="text-secondary">(by hand)'
        in ops.get(f"/portfolio?q={row.customer_id}").content
    )


def test_with_nothing_published_there_is_nothing_to_export(
    client_of: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_init(tmp_path / "new", pack="b2b-saas")
    client = client_of("ops")
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(workspace.root))
    for form in ("csv", "xlsx"):
        answer = client.get(f"/portfolio/export.{form}")
        assert "Nothing published yet" in answer.content.decode()
        assert "Upload files" in answer.content.decode()
    assert not AuditEntry.objects.filter(action="export.portfolio").exists()


def test_without_a_score_the_overview_and_segments_show_what_there_is(ops: Client, signals: Workspace) -> None:
    answer = ops.get("/portfolio/overview")
    page = answer.content.decode()
    assert "Steepest declines" not in page
    assert [name for _, name, _ in answer.context["groups"]] == ["owner", "industry", "tenure"]
    assert answer.context["parameter"] == "segment"
    asked = {"HX-Request": "true", "HX-Target": "figures"}
    figures = ops.get("/segments", headers=asked).content.decode()
    assert "Customers" in figures
    assert 'data-label="Health"' not in figures
    compared = ops.get("/segments/compare", headers=asked)
    assert "Mean health" not in [row.label for row in compared.context["rows"]]
    assert [one["name"] for one in compared.context["chart"]["series"]]
    colors = [one["itemStyle"]["color"] for one in compared.context["chart"]["series"]]
    assert len(set(colors)) == len(colors)

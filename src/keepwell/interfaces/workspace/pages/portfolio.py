"""The portfolio: the table that managers live in, its overview, views and exports."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import FileResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.interfaces.workspace.portfolio_charts import groups_option
from keepwell.interfaces.workspace.portfolio_query import COLUMNS, LISTS, PAGE, UNASSIGNED, Address, Chip, address_of
from keepwell.interfaces.workspace.tables_out import csv_chunks, xlsx_file
from keepwell.reporting.movement import Kind
from keepwell.services.published import (
    Choice,
    PortfolioChoices,
    PortfolioQuery,
    portfolio_choices,
    portfolio_page,
    portfolio_rows,
    portfolio_summary,
)
from keepwell.services.published.copies import copies_needed
from keepwell.services.published.portfolio_summary import WEEK
from keepwell.services.segment_figures import Seen, movement, period_of
from keepwell.services.team.access import Action, may, scope_of
from keepwell.services.team.audit import record
from keepwell.services.team.holds import standing_holds
from keepwell.services.team.saved import SavedViewError, delete_view, save_view, views_of
from keepwell.services.team.segment_own import own_members, visible_names

VIEWS: Final = "portfolio"
EXPORTED: Final = (
    "customer_id", "name", "domain", "status", "owner_email", "industry", "plan", "country", "tenure", "customer_since",
    "score", "band", "coverage", "change_7", "change_30", "risk_score", "risk_band", "arr", "mrr", "renewal_date",
    "days_to_renewal", "payment_status", "segment", "segments", "signals", "reasons", "last_touch_at",
    "last_touch_kind",
)  # fmt: skip
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OF_SCORES: Final = frozenset({"score", "change_7", "change_30", "sparkline", "coverage"})
_SORTABLE: Final = frozenset(COLUMNS) - {"sparkline", "reasons"}


@require_GET
@page(Action.SEE)
def portfolio(request: PageRequest) -> HttpResponseBase:
    """The table."""
    address = address_of(request.GET)
    scope = scope_of(request.user)
    shown = portfolio_page(request.workspace, _query(request, address))
    scored = any(row.band for row in shown.rows) or not shown.rows
    columns = [name for name in address.columns if scored or name not in _OF_SCORES]
    choices = portfolio_choices(request.workspace, scope)
    known = {
        "shown": shown,
        "holds": standing_holds([row.customer_id for row in shown.rows]),
        "address": address,
        "headings": [_heading(address, name) for name in ("name", *columns)],
        "columns": columns,
        "all_columns": COLUMNS,
        "choices": list(_choices(address, choices)),
        "own_choices": sorted(visible_names(request.user).items(), key=lambda one: one[1].lower()),
        "own": address.one("own"),
        "chips": [*_own_chip(request, address), *address.chips(choices)],
        "views": views_of(request.user, VIEWS),
        "may_share": may(request.user, Action.ASSIGN),
        "first": shown.query.offset + 1 if shown.rows else 0,
        "last": shown.query.offset + len(shown.rows),
        "previous": address.with_(page=None) if address.page == 2 else _paged(address.with_(), address.page - 1),
        "following": _paged(address.with_(), address.page + 1) if shown.query.offset + PAGE < shown.total else None,
        "here": address.with_(),
        "scored": scored,
    }
    template = (
        "workspace/portfolio/table.html" if request.htmx.target == "portfolio" else "workspace/portfolio/page.html"
    )
    answer = render(request, template, known)
    answer["Vary"] = "HX-Request"
    return answer


@require_GET
@page(Action.SEE)
def overview(request: PageRequest) -> HttpResponseBase:
    """How customers and money are spread, what a week changed, who fell most."""
    summary = portfolio_summary(request.workspace, scope_of(request.user))
    scored = summary.divided_by == "bands"
    groups = [
        # Without a score the segments are what the chart and its table show.
        ("Segment", "segment", summary.segments if scored else ()),
        ("Owner", "owner", summary.owners),
        ("Industry", "industry", summary.industries),
        ("Tenure", "tenure", summary.tenures),
    ]
    known = {
        "summary": summary,
        "groups": [(title, name, figures) for title, name, figures in groups if figures],
        "parameter": "band" if scored else "segment",
        "chart": groups_option(summary.bands, reverse("portfolio"), "band" if scored else "segment"),
        "moved": None if scored or summary.week is None else _moved(request, summary.week.since, summary.as_of),
    }
    return render(request, "workspace/portfolio/overview.html", known)


def _moved(request: PageRequest, first: date, last: date) -> dict[str, tuple[int, float]] | None:
    """How many customers moved up and down between segments, with their ARR: what a model without a score tells."""
    seen = Seen(
        request.workspace, period_of(request.workspace, first=first, last=last, days=WEEK), scope_of(request.user)
    )
    found = movement(seen, seen.dimensions[0]) if seen.dimensions else None
    if found is None:
        return None
    kinds: dict[str, Kind] = {"up": "upgrade", "down": "downgrade"}
    return {way: (found.customers(kind), sum(m.arr_after for m in found.of_kind(kind))) for way, kind in kinds.items()}


@require_GET
@page(Action.SEE)
def export(request: PageRequest, form: str) -> HttpResponseBase:
    """All matching customers as CSV or XLSX."""
    query = _query(request, address_of(request.GET))
    # The rows are read while the answer is sent, which is too late to say that there are none.
    copies_needed(request.workspace)
    rows = ([getattr(row, name) for name in EXPORTED] for row in portfolio_rows(request.workspace, query))
    record(
        acting(request),
        at=request.now,
        action="export.portfolio",
        kind="export",
        object_id=form,
        summary=f"Exported the portfolio as {form.upper()}",
        after={"filters": address_of(request.GET).kept()},
    )
    name = f"portfolio-{request.today}.{form}"
    if form == "xlsx":
        return FileResponse(
            xlsx_file(EXPORTED, rows, "Portfolio"), as_attachment=True, filename=name, content_type=_XLSX
        )
    answer = StreamingHttpResponse(csv_chunks(EXPORTED, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_POST
@page(Action.SEE)
def view_save(request: PageRequest) -> HttpResponseBase:
    """Save what the table shows under a name."""
    kept = address_of(QueryDict(request.POST.get("query", "").removeprefix("?"))).kept()
    try:
        view = save_view(
            acting(request),
            request.user,
            page=VIEWS,
            name=request.POST.get("name", ""),
            query=kept,
            shared=request.POST.get("shared") == "on",
            now=request.now,
        )
    except SavedViewError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The view “{view.name}” was saved.")
    return redirect(reverse("portfolio") + address_of(kept).with_())


@require_POST
@page(Action.SEE)
def view_delete(request: PageRequest, pk: int) -> HttpResponseBase:
    """Delete one's own view."""
    try:
        delete_view(acting(request), request.user, pk, now=request.now)
    except SavedViewError as error:
        messages.error(request, str(error))
    return redirect("portfolio")


@require_GET
@page(Action.SEE)
def view_open(request: PageRequest, pk: int) -> HttpResponseBase:
    """Go to where a view leads."""
    view = views_of(request.user, VIEWS).filter(pk=pk).first()
    if view is None:
        messages.error(request, "This view is gone, or it is not shared with you.")
        return redirect("portfolio")
    return redirect(reverse("portfolio") + address_of(view.query).with_())


def _query(request: PageRequest, address: Address) -> PortfolioQuery:
    """The query of an address; `own` names a segment made in the workspace, whose members are asked for by id."""
    query = address.query(scope_of(request.user))
    name = address.one("own")
    return replace(query, ids=own_members(request.workspace, request.user, name)) if name else query


def _own_chip(request: PageRequest, address: Address) -> Iterator[Chip]:
    name = address.one("own")
    if name:
        yield Chip(f"Segment: {visible_names(request.user).get(name, name)}", address.with_(own=None))


def _heading(address: Address, name: str) -> dict[str, Any]:
    label = "Customer" if name == "name" else COLUMNS[name]
    if name not in _SORTABLE | {"name"}:
        return {"name": name, "label": label, "url": None, "sorted": None}
    active = address.sort == name
    turned = name if active and address.descending else f"-{name}"
    if name == "name" and not active:
        turned = name
    order = ("descending" if address.descending else "ascending") if active else None
    return {"name": name, "label": label, "url": address.with_(sort=turned), "sorted": order}


def _paged(address: str, number: int) -> str | None:
    return f"{address}&page={number}" if number > 1 else (address if number == 1 else None)


def _choices(address: Address, choices: PortfolioChoices) -> Iterator[tuple[str, list[tuple[Choice, str, bool]]]]:
    """For every filter with something to choose: each choice, its value in the address, and whether it is chosen."""
    for name, field in LISTS.items():
        options: tuple[Choice, ...] = getattr(choices, field)
        chosen = address.values.get(name, ())
        if options:
            yield name, [(c, c.name or UNASSIGNED, (c.name or UNASSIGNED) in chosen) for c in options]

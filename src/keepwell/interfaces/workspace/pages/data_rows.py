"""Rows that wait in quarantine: why, how to correct them, trying again; ids that no customer has."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.data_shown import (
    around,
    cell_text,
    group_of,
    group_query,
    page_number,
    shown_groups,
    shown_row,
)
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.published import (
    EVERYONE,
    PortfolioQuery,
    QuarantinedRow,
    QuarantinePage,
    customer_owner,
    customers_named,
    data_status,
    portfolio_page,
    quarantine_rows,
)
from keepwell.services.published.quarantined import Group, quarantine_row, quarantine_values
from keepwell.services.team.access import Action
from keepwell.services.team.data import DataRefused, correct_ask, link_ask, replace_ask, retry_ask, unlink_ask

PAGE: Final = 25
MOST_VALUES: Final = 50
_ALL: Final = ("prospect", "trial", "active", "churned")


@require_GET
@page(Action.SEE)
def data_quarantine(request: PageRequest) -> HttpResponse:
    """Why rows wait, and how many. The rows themselves are for those who manage data: they are of all customers."""
    status = data_status(request.workspace)
    known = {"status": status, "groups": shown_groups(status)}
    return render(request, "workspace/data/quarantine.html", around(request, "quarantine") | known)


@require_GET
@page(Action.MANAGE_DATA)
def data_rows(request: PageRequest) -> HttpResponse:
    """The rows of one group, and the values that are wrong in them."""
    return _rows_shown(request, group_of(request.GET))


@page(Action.MANAGE_DATA)
def data_row(request: PageRequest, key: str) -> HttpResponse:
    """One row: see its cells, correct them, try it again."""
    row = quarantine_row(request.workspace, key)
    if row is None:
        raise Http404
    if request.method != "POST":
        return _row_shown(request, row)
    try:
        job = correct_ask(acting(request), row, _changed(request, row), now=request.now)
    except DataRefused as refused:
        return _row_shown(request, row, str(refused))
    return redirect("job", job.pk)


@require_POST
@page(Action.MANAGE_DATA)
def data_retry(request: PageRequest) -> HttpResponse:
    """Try rows again: the chosen ones, a group, or all."""
    keys = request.POST.getlist("key")
    group = group_of(request.POST)
    if "chosen" in request.POST and not keys:
        messages.warning(request, "Choose rows first.")
        return _back(group)
    try:
        job = retry_ask(acting(request), group=None if keys else group, keys=keys, now=request.now)
    except DataRefused as refused:
        messages.warning(request, str(refused))
        return _back(group)
    return redirect("job", job.pk)


@require_POST
@page(Action.MANAGE_DATA)
def data_replace(request: PageRequest) -> HttpResponse:
    """Put one value for another in all rows of a group."""
    group = group_of(request.POST)
    if group is None:
        raise Http404
    pairs = zip(request.POST.getlist("old"), request.POST.getlist("new"), strict=False)
    values = {old: new.strip() for old, new in pairs if new.strip()}
    try:
        job = replace_ask(acting(request), group, values, now=request.now)
    except DataRefused as refused:
        return _rows_shown(request, group, str(refused))
    return redirect("job", job.pk)


@require_GET
@page(Action.MANAGE_DATA)
def data_identities(request: PageRequest) -> HttpResponse:
    """Ids that no customer has, with those that they may mean, and the links made by hand."""
    return _identities_shown(request)


@require_POST
@page(Action.MANAGE_DATA)
def data_link(request: PageRequest) -> HttpResponse:
    """Let an id stand for a customer."""
    unknown, wanted = request.POST.get("unknown_id", ""), request.POST.get("customer_id", "").strip()
    try:
        customer = _customer(request, wanted)
        job = link_ask(acting(request), request.workspace, unknown, customer, now=request.now)
    except DataRefused as refused:
        return _identities_shown(request, {unknown: (wanted, str(refused))}, 422)
    return redirect("job", job.pk)


@require_POST
@page(Action.MANAGE_DATA)
def data_unlink(request: PageRequest) -> HttpResponse:
    """Forget a link."""
    unknown = request.POST.get("unknown_id", "")
    links = {link.unknown_id: link.customer_id for link in data_status(request.workspace).links}
    if unknown not in links:
        messages.warning(request, f"“{unknown}” is not linked any more.")
        return redirect("data_identities")
    return redirect("job", unlink_ask(acting(request), unknown, links[unknown], now=request.now).pk)


def _changed(request: PageRequest, row: QuarantinedRow) -> dict[str, str]:
    """The cells that were typed anew; the form counts them, as names of columns may be anything."""
    typed = {name: request.POST.get(f"cell-{at}") for at, name in enumerate(row.row)}
    return {name: text for name, text in typed.items() if text is not None and text != cell_text(row.row[name])}


def _customer(request: PageRequest, wanted: str) -> str:
    """The id of the customer that was typed: an id, or a name or domain that only one has."""
    if not wanted:
        raise DataRefused("Enter the id or the name of a customer.")
    if customer_owner(request.workspace, wanted) is not None:
        return wanted
    query = PortfolioQuery(search=wanted, statuses=_ALL, scope=EVERYONE, limit=5)
    found = portfolio_page(request.workspace, query)
    if found.total == 1:
        return found.rows[0].customer_id
    if not found.total:
        raise DataRefused(f"There is no customer “{wanted}”.")
    named = ", ".join(f"{row.name} ({row.customer_id})" for row in found.rows)
    raise DataRefused(f"{found.total:,} customers match “{wanted}”: {named}. Enter the id of one.")


def _rows_shown(request: PageRequest, group: Group | None, refused: str = "") -> HttpResponse:
    number = page_number(request)
    found = _found(request, group, (number - 1) * PAGE)
    values = quarantine_values(request.workspace, group, MOST_VALUES) if group and group.column else ()
    rows = [shown_row(row) for row in found.rows]
    known: dict[str, Any] = {
        "group": group,
        "query": group_query(group) if group else "",
        "rows": rows,
        "total": found.total,
        "values": values if any(row.correctable for row in rows) else (),
        "most_values": MOST_VALUES,
        "first": (number - 1) * PAGE + 1,
        "last": min(number * PAGE, found.total),
        "earlier": number - 1,
        "later": number + 1 if number * PAGE < found.total else 0,
        "refused": refused,
    }
    answer = around(request, "quarantine") | known
    return render(request, "workspace/data/rows.html", answer, status=422 if refused else 200)


def _found(request: PageRequest, group: Group | None, offset: int) -> QuarantinePage:
    here = request.workspace
    if group is None:
        return quarantine_rows(here, offset=offset, limit=PAGE)
    return quarantine_rows(here, group.table, group.code, group.column, group.reason, offset, PAGE)


def _row_shown(request: PageRequest, row: QuarantinedRow, refused: str = "") -> HttpResponse:
    group = group_of(request.GET)
    known = {"shown": shown_row(row), "query": group_query(group) if group else "", "refused": refused}
    answer = around(request, "quarantine") | known
    return render(request, "workspace/data/row.html", answer, status=422 if refused else 200)


def _identities_shown(
    request: PageRequest, refused: dict[str, tuple[str, str]] | None = None, status: int = 200
) -> HttpResponse:
    found = data_status(request.workspace)
    names = customers_named(request.workspace, [link.customer_id for link in found.links])
    known = {"status": found, "names": names, "refused": refused or {}}
    return render(request, "workspace/data/identities.html", around(request, "identities") | known, status=status)


def _back(group: Group | None) -> HttpResponseRedirect:
    """To where rows are chosen."""
    return HttpResponseRedirect(f"{reverse('data_rows')}?{group_query(group) if group else ''}")

"""Starting a playbook for all customers of a segment whom one sees."""

from typing import Final

from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from keepwell.interfaces.workspace.pages.playbooks import heading, playbook_or_404
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_choices, portfolio_rows
from keepwell.services.team.access import Action, scope_of
from keepwell.services.team.playing.definitions import playbook_model
from keepwell.services.team.playing.many import start_for_many, under_way
from keepwell.services.workspace import WorkspaceError

EVERYBODY: Final = "everybody"
_SHOWN: Final = 12


@page(Action.APPROVE)
def playbook_start_many(request: PageRequest, name: str) -> HttpResponseBase:
    """Choose a segment, see for whom it would be, and start it for all of them."""
    model = playbook_model(request.workspace)
    playbook_or_404(model, name)
    asked = (request.POST if request.method == "POST" else request.GET).get("segment", "")
    choices = portfolio_choices(request.workspace, scope_of(request.user)).segments
    label = {choice.name: choice.label for choice in choices}.get(asked, EVERYBODY if asked == EVERYBODY else "")
    rows = _rows(request, asked) if label else []
    if request.method == "POST" and rows:
        return _started(request, name, [row.customer_id for row in rows], label)
    going = under_way(name)
    wanted = [row for row in rows if row.customer_id not in going]
    known = {
        **heading(request, model, name),
        "segments": choices,
        "everybody": EVERYBODY,
        "asked": asked,
        "chosen": label,
        "in_it": len(rows) - len(wanted),
        "wanted": len(wanted),
        "first": wanted[:_SHOWN],
        "more": max(0, len(wanted) - _SHOWN),
        "left_alone": model.playbooks[name].hold_out,
    }
    return render(request, "workspace/playbooks/start_many.html", known)


def _rows(request: PageRequest, segment: str) -> list[PortfolioRow]:
    segments = () if segment == EVERYBODY else (segment,)
    query = PortfolioQuery(segments=segments, scope=scope_of(request.user), sort="name", descending=False)
    return list(portfolio_rows(request.workspace, query))


def _started(request: PageRequest, name: str, customers: list[str], group: str) -> HttpResponseBase:
    try:
        count = start_for_many(acting(request), request.workspace, name, customers, group, request.now)
    except WorkspaceError as error:
        messages.error(request, str(error))
        return redirect("playbook_start_many", name)
    messages.success(
        request, f"Asked for {count:,} customer{'' if count == 1 else 's'}; the runs begin within seconds."
    )
    return redirect("playbook_runs", name)

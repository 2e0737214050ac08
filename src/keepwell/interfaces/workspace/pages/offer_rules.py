"""The rules for offers: who may offer what, with and without approval, how often, and how much."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.offering.kinds import KINDS, UNITS, ceiling
from keepwell.services.team.offering.policies import (
    MOST_A_YEAR,
    NOBODY,
    RANKS,
    Policy,
    PolicyError,
    policies_change,
    policies_now,
)
from keepwell.store.models import Role

_NAMES = {role.value: role.label for role in Role}
WHO = [*((rank, f"From {_NAMES[rank]}") for rank in RANKS[:-1]), (RANKS[-1], _NAMES[RANKS[-1]]), (NOBODY, "Nobody")]


@require_http_methods(["GET", "POST"])
@page(Action.CHANGE_SETTINGS)
def offer_rules(request: PageRequest) -> HttpResponse:
    """See and change the rules."""
    now_set = policies_now()
    if request.method == "GET":
        return _page(request, now_set)
    try:
        wanted = {name: _said(request.POST, name) for name in KINDS}
    except ValueError:
        return _page(request, now_set, problem="Numbers are like 3 or 12.5. Nothing was changed.")
    try:
        policies_change(acting(request), wanted, request.now)
    except PolicyError as refused:
        return _page(request, wanted, problem=str(refused))
    messages.success(request, "Saved.")
    return redirect("offer_rules")


def _said(given: QueryDict, name: str) -> Policy:
    numbers = {unit: float(given.get(f"{name}-{unit}", "")) for unit in KINDS[name].units}
    return Policy(
        asks=given.get(f"{name}-asks", ""),
        alone=given.get(f"{name}-alone", ""),
        approves=given.get(f"{name}-approves", ""),
        playbooks=given.get(f"{name}-playbooks") == "1",
        per_year=int(given.get(f"{name}-per_year", "")),
        largest=numbers,
    )


def _page(request: PageRequest, policies: Mapping[str, Policy], *, problem: str = "") -> HttpResponse:
    known: dict[str, Any] = {
        "lines": [(kind, policies[kind.name], _units(kind.name, policies[kind.name])) for kind in KINDS.values()],
        "who": WHO,
        "approvers": WHO[1:-1],
        "most_a_year": MOST_A_YEAR,
        "problem": problem,
    }
    return render(request, "workspace/offers/rules.html", known, status=422 if problem else 200)


def _units(name: str, policy: Policy) -> list[tuple[str, str, str, str]]:
    kind = KINDS[name]
    return [
        (unit, UNITS[unit][0], f"{policy.largest.get(unit, 0):g}", f"{ceiling(kind, unit):g}") for unit in kind.units
    ]

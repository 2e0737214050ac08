"""Movement between two dates, as a picture, a table and lists of customers; and how segments overlap."""

from typing import Any, Final

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET

from keepwell.interfaces.workspace.pages.segment_parts import dates_asked, seen_by, with_figures
from keepwell.interfaces.workspace.pages.segments import dimensions_shown, title_of
from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.interfaces.workspace.segment_charts import NOBODY, flow_query, sankey_option
from keepwell.reporting.groups import BANDS, Group, grouping
from keepwell.reporting.movement import CHANGES, Move, Movement, Mover
from keepwell.services.segment_figures import MONTH, Seen, movement
from keepwell.services.segment_members import MOST, overlap
from keepwell.services.team.access import Action
from keepwell.services.team.segment_own import own_segments, visible_names

SHOWN: Final = 200
OWN: Final = "workspace"
_KINDS: Final = {
    "upgrade": ("Upgraded", "arrow-up"),
    "downgrade": ("Downgraded", "arrow-down"),
    "lateral": ("Moved sideways", "arrows-exchange"),
    "joined": ("Joined", "plus"),
    "left": ("Left", "logout"),
    "stayed": ("Stayed", "check"),
}


@require_GET
@page(Action.SEE)
def movements(request: PageRequest) -> HttpResponseBase:
    """Who changed segment or band between two dates, who joined and who left."""
    asked = dates_asked(request, MONTH)
    seen = seen_by(request, asked.period)
    by = seen.dimension(request.GET.get("by"))
    address = f"{reverse('segment_movement')}?by={by}&from={asked.period.first or ''}&to={asked.period.last}"
    known = {
        "asked": asked, "by": by, "dimensions": dimensions_shown(seen), "tab": "movement", "address": address,
        "title": title_of(by),
    }  # fmt: skip
    return with_figures(request, "movement", known, lambda: _figures(request, seen, by, address))


def _figures(request: PageRequest, seen: Seen, by: str, address: str) -> dict[str, Any]:
    found = movement(seen, by)
    if found is None:
        return {"problem": f"{seen.period.last} is the only published date; movement needs an earlier one."}
    moves = [move for move in found.moves if move.kind != "stayed"]
    return {
        "found": found,
        "cards": [(kind, *_KINDS[kind], found.customers(kind), _arr(found, kind)) for kind in CHANGES],
        "flows": [(move, *_KINDS[move.kind], flow_query(move)) for move in _ordered(moves)],
        "stayed": found.customers("stayed"),
        "chart": sankey_option(found, _groups(seen, by), address),
        **_flow(request, found),
    }


def _ordered(moves: list[Move]) -> list[Move]:
    order = {kind: at for at, kind in enumerate(CHANGES)}
    return sorted(moves, key=lambda move: (order[move.kind], -move.customers))


def _arr(found: Movement, kind: str) -> float:
    """The ARR of those who made a move: what they bring, or what went with them."""
    return sum(move.arr_before if kind == "left" else move.arr_after for move in found.moves if move.kind == kind)


def _flow(request: PageRequest, found: Movement) -> dict[str, Any]:
    """The customers of the flow or of the kind of move that the address asks for."""
    kind = request.GET.get("kind", "")
    if kind in _KINDS:
        movers = [mover for mover in found.movers if mover.kind == kind]
        return _listed(found, movers, _KINDS[kind][0])
    source, target = (request.GET.get(name) for name in ("source", "target"))
    if source is None or target is None:
        return {}
    movers = [m for m in found.movers if (m.source or NOBODY, m.target or NOBODY) == (source, target)]
    return _listed(found, movers)


def _listed(found: Movement, movers: list[Mover], title: str = "") -> dict[str, Any]:
    labels = {name: label for move in found.moves for name, label in _ends(move)}
    movers = sorted(movers, key=lambda mover: (-(mover.arr_after or mover.arr_before or 0), mover.customer_id))
    rows = [(one, labels.get(one.source, ""), labels.get(one.target, "")) for one in movers]
    if movers and not title:
        title = f"{rows[0][1] or 'Joined'} → {rows[0][2] or 'Left'}"
    return {
        "flow": True,
        "movers": rows[:SHOWN],
        "movers_left": max(0, len(rows) - SHOWN),
        "movers_count": len(rows),
        "movers_title": title,
    }


def _ends(move: Move) -> tuple[tuple[str | None, str], ...]:
    return (move.source, move.source_label), (move.target, move.target_label)


def _groups(seen: Seen, by: str) -> tuple[Group, ...]:
    days = tuple(day.present() for day in (seen.first, seen.last) if day is not None)
    return grouping(seen.loaded, by, days).groups


@require_GET
@page(Action.SEE)
def overlaps(request: PageRequest) -> HttpResponseBase:
    """How many customers two segments have in common, for all pairs."""
    asked = dates_asked(request)
    seen = seen_by(request, asked.period)
    known_dimensions = [(name, title) for name, title in dimensions_shown(seen) if name != BANDS]
    if visible_names(request.user):
        known_dimensions.append((OWN, "Made in the workspace"))
    names = [name for name, _ in known_dimensions]
    chosen = [name for name in request.GET.getlist("dimension") if name in names] or [*names[:1], OWN]
    measure = request.GET.get("measure", "")
    known = {
        "asked": asked,
        "dimensions": known_dimensions,
        "chosen": chosen,
        "measure": measure if measure in ("share", "jaccard") else "customers",
        "tab": "overlap",
    }

    def figures() -> dict[str, Any]:
        own = own_segments(request.workspace, request.user, asked.period) if OWN in chosen else ()
        return {"found": overlap(seen, chosen, own), "most": MOST}

    return with_figures(request, "overlap", known, figures)

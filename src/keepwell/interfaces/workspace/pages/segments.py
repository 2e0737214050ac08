"""Segments side by side: the overview, and some of them compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from keepwell.interfaces.workspace.pages.segment_parts import dates_asked, seen_by, with_figures
from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.interfaces.workspace.segment_charts import compared_option
from keepwell.interfaces.workspace.templatetags.keepwell import number, percent, short_money, signed
from keepwell.reporting.plain import Figure
from keepwell.reporting.scores import at_risk
from keepwell.services.segment_figures import Line, Seen, choices, compared, overview
from keepwell.services.team.access import Action
from keepwell.services.team.segment_own import own_segments, visible_names

MOST: Final = 4
"""More segments side by side cannot be read."""


@require_GET
@page(Action.SEE)
def segments(request: PageRequest) -> HttpResponseBase:
    """All segments of one dimension, and those made in the workspace."""
    asked = dates_asked(request)
    seen = seen_by(request, asked.period)
    by = seen.dimension(request.GET.get("by"))

    def figures() -> dict[str, Any]:
        own = own_segments(request.workspace, request.user, asked.period)
        shown = overview(seen, by, own)
        return {"shown": shown, "scored": shown.total.row.health.value is not None}

    known = {"asked": asked, "by": by, "dimensions": dimensions_shown(seen), "tab": "overview"}
    return with_figures(request, "overview", known, figures)


@require_GET
@page(Action.SEE)
def compare(request: PageRequest) -> HttpResponseBase:
    """Two to four segments, or all of a dimension, side by side."""
    asked = dates_asked(request)
    seen = seen_by(request, asked.period)
    own, groups = visible_names(request.user), choices(seen)
    known_names = {group.name for found in groups.values() for group in found} | own.keys()
    asked_for = [name for name in dict.fromkeys(request.GET.getlist("segment")) if name in known_names]
    chosen = asked_for[:MOST]
    by = seen.dimension(request.GET.get("by"))
    known = {
        "asked": asked,
        "by": by,
        "dimensions": dimensions_shown(seen),
        "choices": [*((title_of(by), [(g.name, g.label) for g in found]) for by, found in groups.items())]
        + ([("Made in the workspace", list(own.items()))] if own else []),
        "chosen": chosen,
        "most": MOST,
        "too_many": len(asked_for) > MOST,
        "tab": "compare",
    }

    def figures() -> dict[str, Any]:
        lines = _chosen(request, seen, chosen) if chosen else _all(seen, by)
        _, rule = at_risk(seen.loaded, seen.last.present())
        return {
            "lines": lines[:-1],
            "rule": rule,
            "chart": compared_option(lines),
            "rows": compared_rows(lines),
            "scored": lines[-1].row.health.value is not None,
        }

    return with_figures(request, "compare", known, figures)


def _chosen(request: PageRequest, seen: Seen, names: list[str]) -> tuple[Line, ...]:
    return compared(seen, names, own_segments(request.workspace, request.user, seen.period, names))


def _all(seen: Seen, by: str) -> tuple[Line, ...]:
    found = overview(seen, by)
    return (*found.lines, found.total)


@dataclass(frozen=True)
class Compared:
    """A figure of all segments: each one's text, why there is none, and whether it is the best."""

    label: str
    cells: tuple[tuple[str, str, bool], ...]


def compared_rows(lines: Sequence[Line]) -> list[Compared]:
    """The figures as rows, the segments as columns; the last column is everybody."""
    rows = [(label, [read(line) for line in lines], write, better) for label, read, write, better in _FIGURES]
    # In a model without a score nobody has a mean health.
    return [_compared(*row) for row in rows if any(figure.value is not None for figure in row[1])]


def _compared(label: str, values: list[Figure], write: Callable[[float | None], str], better: int) -> Compared:
    known = [figure.value for figure in values[:-1] if figure.value is not None]
    best = (max(known) if better > 0 else min(known)) if better and len(set(known)) > 1 else None
    cells = [(write(one.value), one.why, best is not None and one.value == best) for one in values[:-1]]
    return Compared(label, (*cells, (write(values[-1].value), values[-1].why, False)))


_FIGURES: Final[tuple[tuple[str, Callable[[Line], Figure], Callable[[float | None], str], int], ...]] = (
    ("Customers", lambda line: Figure(line.row.customers), number, 0),
    ("Change in customers", lambda line: Figure(line.change), signed, 0),
    ("Share of customers", lambda line: Figure(line.row.customers_share), percent, 0),
    ("ARR", lambda line: Figure(line.row.arr), short_money, 0),
    ("Share of ARR", lambda line: Figure(line.row.arr_share), percent, 0),
    ("Mean health", lambda line: line.row.health, lambda value: "–" if value is None else f"{value:.1f}", 1),
    ("NRR", lambda line: line.row.nrr, lambda value: percent(value, 1), 1),
    ("GRR", lambda line: line.row.grr, lambda value: percent(value, 1), 1),
    ("Logo churn", lambda line: line.row.churn, lambda value: percent(value, 1), -1),
    ("At risk", lambda line: Figure(line.row.at_risk), number, 0),
    ("Share at risk", lambda line: Figure(line.row.at_risk_share), lambda value: percent(value, 1), -1),
    ("ARR at risk", lambda line: Figure(line.row.arr_at_risk), short_money, 0),
)  # fmt: skip


def dimensions_shown(seen: Seen) -> list[tuple[str, str]]:
    """The dimensions with their titles."""
    return [(name, title_of(name)) for name in seen.dimensions]


def title_of(dimension: str) -> str:
    """A dimension as people read it."""
    titles = {"primary": "Lifecycle", "bands": "Health bands"}
    return titles.get(dimension, dimension.replace("_", " ").capitalize())

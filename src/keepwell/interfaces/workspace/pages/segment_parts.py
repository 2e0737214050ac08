"""What the pages of segments share: the two dates, the figures that load after the page, and their failures."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from keepwell.interfaces.workspace.pages.shared import PageRequest
from keepwell.interfaces.workspace.templatetags.keepwell import day
from keepwell.reporting.reading import ReportError
from keepwell.services.published import NothingPublished
from keepwell.services.segment_figures import QUARTER, Period, Seen, period_of
from keepwell.services.team.access import scope_of
from keepwell.services.workspace import WorkspaceError

FIGURES: Final = "figures"
"""The part of a page that holds figures; it is loaded by a request of its own, as it may take a while."""


@dataclass(frozen=True)
class Asked:
    """The dates of a page; `note` says where a wanted date is not published."""

    period: Period
    note: str

    @property
    def earliest(self) -> date:
        """The first published date."""
        return self.period.dates[0]


def dates_asked(request: PageRequest, days: int = QUARTER) -> Asked:
    """The dates `from` and `to` of the address, moved to published ones. Raises NothingPublished."""
    first, last = (_date(request.GET.get(name, "")) for name in ("from", "to"))
    if first is not None and last is not None and last < first:
        first, last = last, first
    period = period_of(request.workspace, first=first, last=last, days=days)
    moved = [
        f"{day(wanted)} is not published, so this is {day(found)}"
        for wanted, found in ((first, period.first), (last, period.last))
        if wanted is not None and found is not None and wanted != found
    ]
    return Asked(period, "; ".join(moved))


def seen_by(request: PageRequest, period: Period, *, whole: bool = False) -> Seen:
    """The published days of a period, of the customers that this person may see."""
    return Seen(request.workspace, period, scope_of(request.user), whole=whole)


def with_figures(
    request: PageRequest, template: str, known: dict[str, Any], figures: Callable[[], dict[str, Any]]
) -> HttpResponseBase:
    """The page at once, and its figures when it asks for them; a failure is said in their place."""
    known = {"here": request.get_full_path(), "own_book": scope_of(request.user).owners is not None, **known}
    if request.htmx.target == FIGURES:
        answer = render(request, f"workspace/segments/{template}_figures.html", {**known, **_found(figures)})
    else:
        answer = render(request, f"workspace/segments/{template}.html", known)
    patch_vary_headers(answer, ("HX-Request",))
    return answer


def _found(figures: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return figures()
    except NothingPublished:
        raise
    except (WorkspaceError, ReportError) as error:
        return {"problem": str(error)}


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

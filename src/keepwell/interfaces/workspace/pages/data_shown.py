"""The state of the data as pages show it."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from keepwell.interfaces.workspace.pages.shared import PageRequest
from keepwell.interfaces.workspace.templatetags.keepwell import file_name
from keepwell.services.published import DataStatus, MetricCoverage, QuarantinedRow, QuarantineGroup, TableStatus
from keepwell.services.published.quarantined import Group, cell_name, is_correctable
from keepwell.services.team.access import Action, may
from keepwell.services.team.jobs import WAITING
from keepwell.store.models import Job

REPAIRS: Final = (Job.Kind.RETRY, Job.Kind.LOAD)
_STATES: Final = {"fresh": ("green", "Fresh"), "stale": ("red", "Stale"), "absent": ("secondary", "Never delivered")}


@dataclass(frozen=True)
class ShownTable:
    """A table with the words of its state."""

    status: TableStatus
    color: str
    words: str


@dataclass(frozen=True)
class ShownCoverage:
    """A metric with the parts of its bar: name, colour, customers, share in percent."""

    metric: MetricCoverage
    parts: tuple[tuple[str, str, int, float], ...]


@dataclass(frozen=True)
class ShownGroup:
    """A group of rows that wait, with the address of its rows."""

    group: QuarantineGroup
    query: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class ShownRow:
    """A row that waits: what it is called in its file, and whether it can be corrected here."""

    row: QuarantinedRow
    file: str
    correctable: bool
    cells: tuple[tuple[str, str, bool], ...]


def around(request: PageRequest, tab: str) -> dict[str, Any]:
    """What every page about data shows: who may act, and what is being worked on."""
    return {
        "tab": tab,
        "manages": may(request.user, Action.MANAGE_DATA),
        "sees_jobs": may(request.user, Action.RUN_JOBS),
        "working": Job.objects.filter(kind__in=REPAIRS, state__in=WAITING).order_by("pk").first(),
    }


def shown_tables(status: DataStatus) -> list[ShownTable]:
    """Tables that the model uses first, the stale ones at the top."""
    order = {"stale": 0, "fresh": 1, "absent": 2}
    tables = sorted(status.tables, key=lambda one: (not one.used, order[one.state]))
    return [ShownTable(one, *_state(one)) for one in tables]


def _state(one: TableStatus) -> tuple[str, str]:
    return _STATES[one.state] if one.used or one.state != "stale" else ("secondary", "Old, not used")


def shown_coverage(status: DataStatus) -> list[ShownCoverage]:
    """Metrics, those known for the fewest customers first."""
    metrics = sorted(status.coverage, key=lambda one: (one.share, one.label))
    return [ShownCoverage(one, _parts(one)) for one in metrics]


def _parts(one: MetricCoverage) -> tuple[tuple[str, str, int, float], ...]:
    counts = (
        ("known", "green", one.known),
        ("assumed", "lime", one.assumed),
        ("stale", "yellow", one.stale),
        ("absent", "orange", one.absent),
        ("unknown", "secondary", one.unused),
    )
    return tuple((name, color, n, round(100 * n / max(1, one.customers), 2)) for name, color, n in counts)


def shown_groups(status: DataStatus) -> list[ShownGroup]:
    """Groups, those with most rows first."""
    return [ShownGroup(one, group_query(one), tuple(map(file_name, one.files))) for one in status.quarantine]


def group_query(group: QuarantineGroup | Group) -> str:
    """A group as the end of an address."""
    parts = {"table": group.table, "code": group.code, "column": group.column or "", "reason": group.reason}
    return urlencode(parts)


def group_of(values: QueryDict) -> Group | None:
    """The group that an address or a form names; None for all rows."""
    named = [values.get(name, "") for name in ("table", "code", "reason")]
    if not all(named):
        return None
    return Group(named[0], named[1], values.get("column") or None, named[2])


def shown_row(row: QuarantinedRow) -> ShownRow:
    """A row with its cells as text; the one that is wrong is marked."""
    wrong = cell_name(row)
    cells = tuple((name, cell_text(value), name == wrong) for name, value in row.row.items())
    return ShownRow(row, file_name(row.file), is_correctable(row), cells)


def cell_text(value: Any) -> str:
    """A cell as a person types it."""
    return "" if value is None else str(value)


def page_number(request: HttpRequest) -> int:
    """The page that an address asks for, from 1."""
    text = request.GET.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1

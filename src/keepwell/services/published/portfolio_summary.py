"""The portfolio as a whole: how customers and money are spread, what a week changed, who fell most."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from keepwell.reporting.reading import day_back
from keepwell.scoring.scorecards import NOT_ENOUGH_DATA
from keepwell.services.published.copies import CURRENT, HISTORY, Copies
from keepwell.services.published.current_rows import TENURES
from keepwell.services.published.kept_models import NO_COLOR, band_colors, model_of, segment_shown
from keepwell.services.published.portfolio_query import CHURNED, Scope, scope_where
from keepwell.services.published.reader import Row, read_copies, rows_of
from keepwell.services.workspace import Workspace

STEEPEST: Final = 10
WEEK: Final = 7
NO_SEGMENT: Final = "No segment"
UNKNOWN: Final = "Unknown"
NO_OWNER: Final = "No owner"

_FIGURES: Final = "count(*) AS customers, coalesce(sum(arr), 0) AS arr, avg(raw) AS mean_score"


@dataclass(frozen=True)
class GroupFigures:
    """One group of customers; the week's changes are None where no week is to compare with."""

    name: str
    label: str
    color: str
    customers: int
    arr: float
    mean_score: float | None
    week_customers: int | None = None
    week_arr: float | None = None


@dataclass(frozen=True)
class Decline:
    """A customer whose score fell."""

    customer_id: str
    name: str
    owner_email: str | None
    arr: float | None
    score: int
    change: int
    band: str | None
    band_before: str | None


@dataclass(frozen=True)
class WeekChange:
    """The difference to the published date about a week before; `up` and `down` are customers whose score moved."""

    since: date
    customers: int
    arr: float
    mean_score: float | None
    joined: int
    left: int
    up: int
    down: int


@dataclass(frozen=True)
class PortfolioSummary:
    """Figures of the customers one may see. `bands` are segments (`divided_by`) where the model has no score."""

    as_of: date
    customers: int
    arr: float
    mrr: float
    mean_score: float | None
    weighted_score: float | None
    week: WeekChange | None
    divided_by: str
    bands: tuple[GroupFigures, ...]
    declines: tuple[Decline, ...]
    declines_days: int
    segments: tuple[GroupFigures, ...]
    owners: tuple[GroupFigures, ...]
    industries: tuple[GroupFigures, ...]
    tenures: tuple[GroupFigures, ...]


Shown = Callable[[str], tuple[str, str]]


def portfolio_summary(workspace: Workspace, scope: Scope) -> PortfolioSummary:
    """Figures of the current date; raises NothingPublished before the first run."""
    return read_copies(workspace, lambda copies: _Summary(workspace, copies, scope).made())


class _Summary:
    """One reading of the figures."""

    def __init__(self, workspace: Workspace, copies: Copies, scope: Scope) -> None:
        self.copies, self.where = copies, scope_where(scope)
        self.model = model_of(workspace, copies).model
        back = day_back(workspace.snapshots, copies.as_of, WEEK)
        self.since = back if back in copies.dates else None

    def made(self) -> PortfolioSummary:
        """All figures."""
        whole = self._whole()
        declines, days = self._declines()
        segments = self._groups("segment", NO_SEGMENT, lambda name: segment_shown(self.model, name), week=True)
        return PortfolioSummary(
            as_of=self.copies.as_of,
            customers=whole["customers"],
            arr=round(whole["arr"], 2),
            mrr=round(whole["mrr"], 2),
            mean_score=whole["mean_score"],
            weighted_score=whole["weighted_score"],
            week=self._week(whole),
            divided_by="bands" if self.copies.score else "segments",
            bands=self._bands() if self.copies.score else segments,
            declines=declines,
            declines_days=days,
            segments=segments,
            owners=self._groups("owner_key", NO_OWNER, _plain),
            industries=self._groups("industry", UNKNOWN, _plain),
            tenures=self._tenures(),
        )

    def _whole(self) -> Row:
        found = self._rows(
            f"{_FIGURES}, coalesce(sum(mrr), 0) AS mrr,"
            " sum(raw * arr) FILTER (WHERE arr > 0)"
            " / nullif(sum(arr) FILTER (WHERE arr > 0 AND raw IS NOT NULL), 0) AS weighted_score"
        )
        return found[0]

    def _rows(self, select: str, rest: str = "", values: tuple[Any, ...] = (), where: str = "true") -> list[Row]:
        """Rows about the present customers of the scope."""
        return rows_of(
            f"SELECT {select} FROM read_parquet(?) WHERE status <> ? AND {self.where.sql} AND {where} {rest}",  # noqa: S608
            [self.copies.path(CURRENT), CHURNED, *self.where.values, *values],
        )

    def _bands(self) -> tuple[GroupFigures, ...]:
        colors = {**band_colors(self.model, self.copies.score), NOT_ENOUGH_DATA: NO_COLOR}
        found = {g.name: g for g in self._groups("band", NOT_ENOUGH_DATA, lambda n: (n, colors.get(n, NO_COLOR)), True)}
        before = self.since is not None
        empty = (GroupFigures(n, n, c, 0, 0.0, None, *((0, 0.0) if before else ())) for n, c in colors.items())
        ordered = [found.pop(group.name, group) for group in empty]
        return (*ordered, *found.values())

    def _tenures(self) -> tuple[GroupFigures, ...]:
        places = {name: place for place, name in enumerate(TENURES)}
        found = self._groups("tenure", UNKNOWN, _plain)
        return tuple(sorted(found, key=lambda group: places.get(group.name, len(places))))

    def _groups(self, column: str, none: str, shown: Shown, week: bool = False) -> tuple[GroupFigures, ...]:
        """The groups by a column, those with most money first, with the change since a week ago where asked for."""
        found = self._rows(f"{column} AS name, {_FIGURES}", "GROUP BY 1 ORDER BY arr DESC, customers DESC, name")
        then = self._groups_then(column) if week and self.since else None
        now = {row["name"]: row for row in found}
        names = [*now, *(name for name in then or {} if name not in now)]
        return tuple(_group(name, none, shown, now.get(name), then) for name in names)

    def _groups_then(self, column: str) -> dict[str | None, Row]:
        found = self._then(f"h.{column} AS name, count(*) AS customers, coalesce(sum(h.arr), 0) AS arr", "GROUP BY 1")
        return {row["name"]: row for row in found}

    def _then(self, select: str, rest: str = "") -> list[Row]:
        """Rows about the customers of a week ago; who may be seen is said by today's owner."""
        files = [path for path in self.copies.months(HISTORY) if f"{self.since:%Y-%m}" in path.rpartition("/")[2]]
        return rows_of(
            f"SELECT {select} FROM (SELECT * FROM read_parquet(?) WHERE as_of = ?) h JOIN (SELECT customer_id,"  # noqa: S608
            f" status AS status_now, score AS score_now FROM read_parquet(?) WHERE {self.where.sql}) c"
            f" USING (customer_id) {rest}",
            [files, self.since, self.copies.path(CURRENT), *self.where.values],
        )

    def _week(self, whole: Row) -> WeekChange | None:
        if self.since is None:
            return None
        then = self._then(
            "count(*) AS customers, coalesce(sum(h.arr), 0) AS arr, avg(h.raw) AS mean_score,"
            " count(*) FILTER (WHERE status_now = 'churned') AS gone,"
            " count(*) FILTER (WHERE score_now > h.score) AS up, count(*) FILTER (WHERE score_now < h.score) AS down"
        )[0]
        return WeekChange(
            since=self.since,
            customers=whole["customers"] - then["customers"],
            arr=round(whole["arr"] - then["arr"], 2),
            mean_score=_difference(whole["mean_score"], then["mean_score"]),
            joined=whole["customers"] - (then["customers"] - then["gone"]),
            left=then["gone"],
            up=then["up"],
            down=then["down"],
        )

    def _declines(self) -> tuple[tuple[Decline, ...], int]:
        """Who fell most in a week, or in a month where there is no week to compare with."""
        for days in (WEEK, 30):
            found = self._rows(
                f"customer_id, name, owner_email, arr, score, change_{days} AS change, band",
                f"ORDER BY change, arr DESC NULLS LAST, customer_id LIMIT {STEEPEST}",
                where=f"change_{days} < 0",
            )
            if found or self._rows("1 AS one", "LIMIT 1", where=f"change_{days} IS NOT NULL"):
                colors = list(self._starts())
                fallen = (Decline(**row, band_before=_band(colors, row["score"] - row["change"])) for row in found)
                return tuple(fallen), days
        return (), WEEK

    def _starts(self) -> list[tuple[float, str]]:
        definition = self.model.scores.get(self.copies.score or "")
        return sorted((band.start, band.name) for band in definition.bands) if definition else []


def _band(starts: list[tuple[float, str]], score: int) -> str | None:
    return max(((start, name) for start, name in starts if start <= score), default=(0.0, None))[1]


def _plain(name: str) -> tuple[str, str]:
    return name, NO_COLOR


def _group(
    name: str | None, none: str, shown: Shown, now: Row | None, then: dict[str | None, Row] | None
) -> GroupFigures:
    label, color = (none, NO_COLOR) if name is None else shown(name)
    customers, arr, score = (now["customers"], now["arr"], now["mean_score"]) if now else (0, 0.0, None)
    before = None if then is None else then.get(name, {"customers": 0, "arr": 0.0})
    changes = (customers - before["customers"], round(arr - before["arr"], 2)) if before is not None else (None, None)
    return GroupFigures(name or none, label, color, customers, round(arr, 2), score, *changes)


def _difference(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then

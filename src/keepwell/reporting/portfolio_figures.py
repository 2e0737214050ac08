"""Figures of retention, health and conversion, from snapshots."""

from datetime import date
from functools import cached_property
from typing import Final

import numpy as np

from keepwell.metrics.frame import Bools
from keepwell.model.graph import SCORE_PARTS
from keepwell.model.loader import LoadedModel
from keepwell.reporting.plain import Figure
from keepwell.reporting.reading import Day, day_back, longest_back, read_day
from keepwell.reporting.retention import Retention, annualised, monthly, retention_days
from keepwell.reporting.scores import health_name, health_of
from keepwell.reporting.segments import NO_SCORE
from keepwell.warehouse.snapshots import Snapshots

MONTH: Final = 30
QUARTER: Final = 90
YEAR: Final = 365
SHORTEST: Final = 28
NO_MONTH: Final = "no snapshot about 30 days earlier"
NO_QUARTER: Final = "no snapshot about 90 days earlier"
COLUMNS: Final = ("status", "churned_on", "plan", "mrr")
FREE: Final = frozenset({"free", "trial"})


class PortfolioFigures:
    """Figures of one published day; `notes` says over which period a figure was measured where that matters."""

    def __init__(self, snapshots: Snapshots, loaded: LoadedModel, as_of: date) -> None:
        self.snapshots, self.loaded = snapshots, loaded
        health = health_name(loaded)
        self.columns = (*COLUMNS, *(f"{health}_{part}" for part in SCORE_PARTS))
        self.day = self._read(as_of)
        self.present = self.day.present()
        self.notes: dict[str, str] = {}

    @cached_property
    def month(self) -> Retention | None:
        """Retention over about a month."""
        return self._retention(day_back(self.snapshots, self.day.as_of, MONTH))

    @cached_property
    def year(self) -> Retention | None:
        """Retention over a year, or as long as there are snapshots; None when that is too short to say anything."""
        first = longest_back(self.snapshots, self.day.as_of, YEAR)
        return self._retention(first) if first and (self.day.as_of - first).days >= SHORTEST else None

    def churn(self) -> Figure:
        """Customers lost in a month."""
        kept = self.month
        if kept is None or kept.logo_churn is None:
            return Figure(None, NO_MONTH if kept is None else "no customers a month earlier")
        return Figure(monthly(kept.logo_churn, kept.days or MONTH), n=kept.customers)

    def retained(self) -> Figure:
        """Customers kept in a month."""
        return _complement(self.churn())

    def retained_year(self) -> Figure:
        """Customers kept in a year; measured over what there is, and annualised."""
        kept = self.year
        if kept is None or kept.logo_churn is None:
            return Figure(None, f"fewer than {SHORTEST} days of snapshots")
        self._note("annual_retention", kept, "annualised from")
        return Figure(1 - annualised(kept.logo_churn, kept.days or YEAR), n=kept.customers)

    def nrr(self) -> Figure:
        """Net revenue retention over a year, or as long as there are snapshots."""
        return self._rate("nrr")

    def grr(self) -> Figure:
        """Gross revenue retention over a year, or as long as there are snapshots."""
        return self._rate("grr")

    def scored(self, low: float, high: float) -> Figure:
        """The share of scored customers with low <= score < high."""
        shown = health_of(self.loaded, self.present)
        known = shown.shown[~np.isnan(shown.shown)]
        if not len(known):
            return Figure(None, NO_SCORE if shown.name is None else "no customer has a score")
        return Figure(float(((known >= low) & (known < high)).mean()), n=len(known))

    def conversion(self) -> Figure:
        """Of those who were free or on trial 90 days earlier, the share that pays now."""
        first = day_back(self.snapshots, self.day.as_of, QUARTER)
        if first is None:
            return Figure(None, NO_QUARTER)
        then = self._read(first).present()
        free = set(then.ids[_free(then)].tolist())
        if not free:
            return Figure(None, f"nobody was on a free plan or a trial on {first}")
        paying = set(self.present.ids[self.present.number("mrr") > 0].tolist())
        return Figure(len(free & paying) / len(free), n=len(free))

    def customers(self) -> Figure:
        """Customers of the day."""
        return Figure(float(self.present.rows), n=self.present.rows)

    def _rate(self, name: str) -> Figure:
        kept = self.year
        if kept is None:
            return Figure(None, f"fewer than {SHORTEST} days of snapshots")
        self._note(name, kept, "over")
        return Figure(kept.nrr if name == "nrr" else kept.grr, kept.why, kept.paying)

    def _note(self, name: str, kept: Retention, words: str) -> None:
        if kept.days != YEAR:
            self.notes[name] = f"{words} {kept.days} days"

    def _retention(self, first: date | None) -> Retention | None:
        return None if first is None else retention_days(self._read(first), self.day)

    def _read(self, day: date) -> Day:
        return read_day(self.snapshots, day, self.columns)


def _free(day: Day) -> Bools:
    plans = np.array([str(plan or "").lower() in FREE for plan in day.text("plan").tolist()], dtype=np.bool_)
    mrr = day.number("mrr")
    unpaid: Bools = (day.text("status") == "trial") | (mrr == 0) | (plans & ~(mrr > 0))
    return unpaid


def _complement(figure: Figure) -> Figure:
    return figure if figure.value is None else Figure(1 - figure.value, figure.why, figure.n)

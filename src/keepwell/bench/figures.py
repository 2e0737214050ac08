"""The lines of the result: each a measure with its ratio, its target, and whether it was reached."""

import os
import platform
from dataclasses import dataclass

import duckdb

from keepwell.bench.measure import OTHERS, Measured
from keepwell.bench.phase import Cost

MB_PER_GB = 1000
RUNS = ("full", "incremental", "backfill", "full_doubled", "incremental_doubled")


@dataclass(frozen=True)
class Line:
    """One measure. `ratio` is to what the measure's name says after ÷; a target of None is none."""

    measure: str
    cost: Cost | None = None
    ratio: float | None = None
    unit: str = "×"
    target: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the ratio is within its target; None without one."""
        return None if self.ratio is None or self.target is None else self.ratio <= self.target

    def cells(self) -> tuple[str, ...]:
        """The line as it is printed."""
        seconds = ("", "") if self.cost is None else (f"{self.cost.cpu:.2f}", f"{self.cost.wall:.2f}")
        reached = {None: "", True: "yes", False: "no"}[self.reached]
        limit = "" if self.target is None else f"≤ {shown(self.target, self.unit)}"
        ratio = "" if self.ratio is None else shown(self.ratio, self.unit, exact=True)
        peak = "" if self.cost is None or not self.cost.peak else f"{self.cost.peak:,.0f}"
        return (self.measure, *seconds, peak, ratio, limit, reached or self.note)


COLUMNS = ("measure", "CPU s", "wall s", "peak MB", "ratio", "target", "reached")


def shown(value: float, unit: str, *, exact: bool = False) -> str:
    """A ratio in its unit: times, percent or GB."""
    if unit == "%":
        return f"{value * 100:.1f} %" if exact else f"{value * 100:g} %"
    return f"{value:.2f} {unit}" if exact else f"{value:g} {unit}"


def figure_lines(measured: Measured) -> list[Line]:
    """All measures in their order."""
    peak = max(measured.cost(name).peak for name in RUNS) / MB_PER_GB
    doubled = "history doubled: incremental day ÷ incremental day"
    return [
        Line("one pass over the events (F2)", measured.cost("floor")),
        _against(measured, "full run ÷ F2", "full", "floor", target=5),
        _against(measured, "incremental day ÷ full run", "incremental", "full", "%", 0.2),
        _against(measured, doubled, "incremental_doubled", "incremental", target=1.15),
        _against(measured, "backfill of 180 days ÷ full run", "backfill", "full", target=6),
        Line("peak memory of all runs", None, peak, "GB", measured.size.memory / MB_PER_GB),
        *(_other(measured, name) for name in OTHERS),
    ]


def _against(
    measured: Measured, label: str, name: str, base: str, unit: str = "×", target: float | None = None
) -> Line:
    return Line(label, measured.cost(name), measured.ratio(name, base), unit, target)


def _other(measured: Measured, name: str) -> Line:
    label = f"{OTHERS[name].label} ÷ F2"
    if name not in measured.turns:
        return Line(label, note=measured.skipped.get(name, "not measured"))
    # They are measured once, after all turns: held against the floor's median.
    cost = measured.cost(name)
    return Line(label, cost, cost.cpu / measured.cost("floor").cpu)


def machine() -> str:
    """What it was measured on."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()} {platform.system()},"
        f" Python {platform.python_version()}, DuckDB {duckdb.__version__}"
    )

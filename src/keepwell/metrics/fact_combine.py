"""From readings of the daily state to the value of a metric, with the ways in which it can be missing."""

from dataclasses import dataclass

import numpy as np

from keepwell.metrics.fact_sql import is_code
from keepwell.metrics.frame import Codes, Floats, Ints, Quality
from keepwell.metrics.plan import FactMetric, FactPlan
from keepwell.metrics.readings import NOTHING, Reading, as_floats
from keepwell.metrics.row_sql import MICRO, Symbols
from keepwell.model.expressions import names_in
from keepwell.model.metric_definitions import ZERO_WHEN_EMPTY, Aggregate

Found = dict[Reading, Ints]


@dataclass(frozen=True)
class Values:
    """Values of one metric as [date, entity], with why some are missing, and texts when they are codes."""

    values: Floats
    quality: Codes
    texts: tuple[str, ...] = ()
    last_days: Ints | None = None


def metric_readings(metric: FactMetric) -> tuple[Reading, ...]:
    """What has to be read from the daily rows for a metric; the order is what `_combine` expects."""
    m = metric.metric
    start = None if m.window is None else m.window - 1 + m.offset
    end = m.offset
    if metric.presence is not None:
        return ()
    plain = tuple(Reading("total", atom, start, end) for atom in metric.atoms)
    match m.aggregate:
        case Aggregate.COUNT_DISTINCT:
            return (Reading("days", metric.atoms[0], start, end),)
        case Aggregate.DAYS_SINCE:
            return (Reading("last_day", metric.atoms[0], start, end),)
        case Aggregate.CHANGE:
            window = m.window or 1
            return (*plain, Reading("total", metric.atoms[0], window * 2 - 1 + end, window + end))
        case Aggregate.SLOPE:
            return (*plain, Reading("moment", metric.atoms[0], start, end))
        case Aggregate.MIN | Aggregate.MAX | Aggregate.LATEST | Aggregate.FIRST:
            return (Reading(metric.atoms[0].kind, metric.atoms[0], start, end),)  # type: ignore[arg-type]
        case _:
            return plain


def metric_texts(plan: FactPlan, metric: FactMetric, symbols: Symbols) -> dict[int, str] | None:
    """The texts behind a metric's codes, when its value is a code."""
    atom = metric.atoms[0] if metric.atoms else None
    if atom is None or atom.kind not in ("latest", "first") or not is_code(plan.table, atom.of):
        return None
    return symbols.text(names_in(atom.of)[0]) if atom.of else None


def combine(metric: FactMetric, grid: Found, counts: Ints | None, dates: Ints, texts: dict[int, str] | None) -> Values:
    """From readings to the metric's value, with the ways in which it can be missing."""
    aggregate = metric.metric.aggregate
    if counts is not None:
        return _values(counts.astype(np.float64), metric)
    found = [grid[r] for r in metric_readings(metric)]
    match aggregate:
        case Aggregate.COUNT | Aggregate.COUNT_DISTINCT:
            return _values(found[0].astype(np.float64), metric)
        case Aggregate.EXISTS:
            return _values((found[0] > 0).astype(np.float64), metric)
        case Aggregate.SUM:
            return _values(found[0] / MICRO, metric)
        case Aggregate.SHARE | Aggregate.RATIO:
            top, bottom = (found[1], found[0]) if aggregate is Aggregate.SHARE else (found[0], found[1])
            return _divided(top, bottom, metric)
        case Aggregate.MEAN:
            mean = _divided(found[0], found[1], metric)
            return Values(mean.values / MICRO, mean.quality)
        case Aggregate.CHANGE:
            return _divided(found[0] - found[1], found[1], metric, Quality.UNDEFINED)
        case Aggregate.DAYS_SINCE:
            ages = np.where(found[0] == NOTHING, np.nan, dates[:, None] - found[0])
            return _values(ages, metric)
        case Aggregate.SLOPE:
            return _slope(found[0], found[1], metric)
        case _:
            return _picked(as_floats(found[0]), metric, texts)


def _values(values: Floats, metric: FactMetric, missing: Quality = Quality.NO_ROWS) -> Values:
    """Apply `empty`, then mark what is still missing."""
    empty = metric.metric.empty
    aggregate = metric.metric.aggregate
    if isinstance(empty, int | float):
        values = np.where(np.isnan(values), float(empty), values)
        if aggregate in ZERO_WHEN_EMPTY and empty != 0:
            values = np.where(values == 0, float(empty), values)
    elif empty == "unknown" and aggregate in ZERO_WHEN_EMPTY:
        values = np.where(values == 0, np.nan, values)
    quality = np.where(np.isnan(values), np.uint8(missing), np.uint8(Quality.KNOWN))
    return Values(values, quality)


def _divided(top: Ints, bottom: Ints, metric: FactMetric, missing: Quality = Quality.NO_ROWS) -> Values:
    with np.errstate(all="ignore"):
        values = np.where(bottom == 0, np.nan, top.astype(np.float64) / bottom.astype(np.float64))
    return _values(values, metric, missing)


def _slope(totals: Ints, moments: Ints, metric: FactMetric) -> Values:
    """Least squares of the daily amounts, per day: exact whole-number sums, one division at the end."""
    n = metric.metric.window or 1
    sum_x, sum_xx = n * (n - 1) // 2, (n - 1) * n * (2 * n - 1) // 6
    scale = 1 if metric.atoms[0].kind == "count" else MICRO
    bottom = n * sum_xx - sum_x * sum_x
    if bottom == 0:
        return _values(np.full(totals.shape, np.nan), metric, Quality.UNDEFINED)
    return _values((n * moments - sum_x * totals).astype(np.float64) / bottom / scale, metric)


def _picked(values: Floats, metric: FactMetric, texts: dict[int, str] | None) -> Values:
    if texts is None:
        return _values(values / MICRO, metric)
    listed = tuple(sorted(set(texts.values())))
    table = np.full(max(texts, default=0) + 1, np.nan)
    for code, text in texts.items():
        table[code] = listed.index(text)
    known = ~np.isnan(values)
    out = np.full(values.shape, np.nan)
    out[known] = table[values[known].astype(np.int64)]
    coded = _values(out, metric)
    return Values(coded.values, coded.quality, listed)

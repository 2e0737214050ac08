"""A metric has no key that its source does not read."""

from collections.abc import Iterable
from typing import Final

from keepwell.model.metric_definitions import Aggregate, Metric
from keepwell.model.problems import Problem
from keepwell.model.validation.context import Context

TABLE_KEYS: Final = ("of", "per", "where", "matching", "window", "offset", "time", "never")
ONE_AGGREGATE: Final = (
    ("per", Aggregate.RATIO),
    ("matching", Aggregate.SHARE),
    ("never", Aggregate.DAYS_SINCE),
)


def check(context: Context) -> Iterable[Problem]:
    """Keys of tables on other sources, keys of one aggregate on another, and changes without a window."""
    for name, metric in context.model.metrics.items():
        for key, message in _useless(metric):
            yield context.error(("metrics", name, key), message, key=True)


def _useless(metric: Metric) -> Iterable[tuple[str, str]]:
    given = metric.model_fields_set
    if metric.table is None:
        source = next(s for s in ("attribute", "expr", "given") if getattr(metric, s))
        yield from ((k, f"'{k}' goes with 'table', not with '{source}'") for k in TABLE_KEYS if k in given)
        return
    for key, aggregate in ONE_AGGREGATE:
        if key in given and metric.aggregate is not aggregate:
            yield key, f"'{key}' goes with aggregate {aggregate}, not with {metric.aggregate}"

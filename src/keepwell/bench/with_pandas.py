"""The same metrics with pandas: load the columns that are needed, then group, as one would in a notebook."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import pandas as pd

from keepwell.bench.equality import Results, save_results
from keepwell.bench.naive_sql import NAIVE
from keepwell.bench.phase import Work, cpu_seconds, silent_connection
from keepwell.bench.world import END, FIRST_FEATURE, NAMES
from keepwell.bench.worlds import World

AS_OF: Final = pd.Timestamp(END)
SELECT: Final = (
    "SELECT customer, person, name, feature, occurred_at, CAST(value AS DOUBLE) AS value FROM read_parquet(?)"
)


@contextmanager
def pandas(world: World) -> Iterator[Work]:
    """Loading counts: that is what a notebook does every day."""
    files = world.event_files()
    results: Results = {}
    with silent_connection() as connection:

        def work() -> None:
            events = connection.execute(SELECT, [files]).df()
            results.update(_aligned(event_metrics(events), world.size.customers))

        yield Work(work, cpu_seconds)
    save_results(world.results / "pandas.npz", results)


def event_metrics(events: Any) -> dict[str, Any]:
    """All metrics as series by customer; customers without rows are left out."""
    events["day"] = events["occurred_at"].dt.normalize()
    events = events[events["day"] <= AS_OF]
    logins = events[events["name"] == NAMES.index("login") + 1]
    return {**_counts(events, logins), **_amounts(events), **_distinct(events, logins), **_courses(events, logins)}


def _last(events: Any, window: int, offset: int = 0) -> Any:
    end = AS_OF - pd.Timedelta(days=offset)
    return events[(events["day"] > end - pd.Timedelta(days=window)) & (events["day"] <= end)]


def _named(events: Any, name: str) -> Any:
    return events[events["name"] == NAMES.index(name) + 1]


def _rows(events: Any) -> Any:
    return events.groupby("customer").size()


def _unique(events: Any, column: str) -> Any:
    return events.groupby("customer")[column].nunique()


def _counts(events: Any, logins: Any) -> dict[str, Any]:
    return {
        "events_7d": _rows(_last(events, 7)),
        "events_30d": _rows(_last(events, 30)),
        "events_90d": _rows(_last(events, 90)),
        "logins_7d": _rows(_last(logins, 7)),
        "logins_30d": _rows(_last(logins, 30)),
        "logins_ever": _rows(logins),
        "exports_30d": _rows(_last(_named(events, "export"), 30)),
        "invites_90d": _rows(_last(_named(events, "invite_sent"), 90)),
    }


def _amounts(events: Any) -> dict[str, Any]:
    calls = _last(_named(events, "api_call"), 30)
    values = calls.groupby("customer")["value"]
    in_time = calls.sort_values(["occurred_at", "value"]).groupby("customer")["value"]
    return {
        "api_calls_30d": values.sum(),
        "api_calls_mean": values.mean(),
        "api_calls_most": values.max(),
        "api_calls_latest": in_time.last(),
    }


def _distinct(events: Any, logins: Any) -> dict[str, Any]:
    week, month, before = _last(events, 7), _last(events, 30), _last(events, 30, 30)
    core = month[month["feature"].isin([FIRST_FEATURE + n for n in (1, 2, 3)])]
    return {
        "people_7d": _unique(week, "person"),
        "people_30d": _unique(month, "person"),
        "people_before": _unique(before, "person"),
        "features_7d": _unique(week, "feature"),
        "features_30d": _unique(month, "feature"),
        "core_features_30d": _unique(core, "feature"),
        "days_7d": _unique(week, "day"),
        "days_30d": _unique(month, "day"),
        "login_days_30d": _unique(_last(logins, 30), "day"),
    }


def _courses(events: Any, logins: Any) -> dict[str, Any]:
    month = _last(events, 30)
    now, before = _rows(month), _rows(_last(events, 30, 30))
    return {
        "days_since_login": (AS_OF - logins.groupby("customer")["day"].max()).dt.days,
        "days_since_event": (AS_OF - events.groupby("customer")["day"].max()).dt.days,
        "change_30d": now.reindex(before.index, fill_value=0).sub(before) / before,
        "slope_28d": _slopes(_last(events, 28), 28),
        "feature_share_30d": month.groupby("customer")["feature"].count() / now,
    }


def _slopes(events: Any, window: int) -> Any:
    """Least squares over a table of customers by days, days without events included."""
    days = pd.date_range(AS_OF - pd.Timedelta(days=window - 1), AS_OF)
    counts = events.groupby(["customer", "day"]).size().unstack(fill_value=0).reindex(columns=days, fill_value=0)
    distances = np.arange(window) - (window - 1) / 2
    return (counts * distances).sum(axis=1) / np.sum(distances**2)


def _aligned(series: Mapping[str, Any], customers: int) -> Results:
    """Arrays by customer; what nobody did is zero, what cannot be said is missing."""
    keys = range(1, customers + 1)
    empty = {metric.name: np.nan if metric.empty is None else metric.empty for metric in NAIVE}
    return {
        name: found.reindex(keys, fill_value=empty[name]).to_numpy(dtype=np.float64) for name, found in series.items()
    }

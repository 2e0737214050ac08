"""The event metrics once more, each written down as SQL by hand from its definition: what anyone would write.

Plain aggregates over plain rows, in words that DuckDB and PostgreSQL share. Nothing of the engine is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from keepwell.bench.world import END, FIRST_FEATURE, NAMES

COLUMNS: Final = ("customer", "person", "name", "feature", "occurred_at", "value")


@dataclass(frozen=True)
class NaiveMetric:
    """One metric: an aggregate, where {only} stands for its row filter, and its value for customers without rows."""

    name: str
    value: str
    where: str
    empty: float | None = 0.0

    def statement(self, events: str) -> str:
        """A query of its own: a row for each customer that has any."""
        return f"SELECT customer, {self.value.format(only='')} AS v FROM {events} WHERE {self.where} GROUP BY customer"  # noqa: S608

    def column(self) -> str:
        """The same as one column of many."""
        return f"{self.value.format(only=f' FILTER (WHERE {self.where})')} AS {self.name}"


def one_statement(metrics: Sequence[NaiveMetric], events: str) -> str:
    """All metrics in one statement."""
    return f"SELECT customer, {', '.join(m.column() for m in metrics)} FROM {events} GROUP BY customer"  # noqa: S608


def _code(name: str) -> str:
    return f"name = {NAMES.index(name) + 1}"


def _features(*names: str) -> str:
    return f"feature IN ({', '.join(str(FIRST_FEATURE + int(name[1:])) for name in names)})"


def _days(window: int | None, offset: int = 0, *, end: date = END) -> str:
    """The last `window` days that end `offset` days before `end`."""
    last = end - timedelta(days=offset)
    until = f"occurred_at < TIMESTAMP '{last + timedelta(days=1)}'"
    first = "" if window is None else f"occurred_at >= TIMESTAMP '{last - timedelta(days=window - 1)}' AND "
    return first + until


ROWS: Final = "count(*){only}"
PERSONS: Final = "count(DISTINCT person){only}"
USED: Final = "count(DISTINCT feature){only}"
DAYS: Final = "count(DISTINCT CAST(occurred_at AS DATE)){only}"
SINCE: Final = f"DATE '{END}' - CAST(max(occurred_at){{only}} AS DATE)"
LATEST: Final = "(array_agg(value ORDER BY occurred_at DESC, value DESC){only})[1]"
SHARE: Final = "CAST(count(feature){only} AS DOUBLE PRECISION) / nullif(count(*){only}, 0)"
_NOW, _BEFORE = f"count(*) FILTER (WHERE {_days(30)})", f"count(*) FILTER (WHERE {_days(30, 30)})"
CHANGE: Final = f"CAST({_NOW} - {_BEFORE} AS DOUBLE PRECISION) / nullif({_BEFORE}, 0)"
# Least squares of 28 daily counts: every event adds its day's distance from the middle, over the sum of squares.
_MIDDLE, _SQUARES = 13.5, sum((day - 13.5) ** 2 for day in range(28))
SLOPE: Final = (
    f"sum(CAST(occurred_at AS DATE) - DATE '{END - timedelta(days=27)}' - CAST({_MIDDLE} AS DOUBLE PRECISION)){{only}}"
    f" / {_SQUARES}"
)

NAIVE: Final = (
    NaiveMetric("events_7d", ROWS, _days(7)),
    NaiveMetric("events_30d", ROWS, _days(30)),
    NaiveMetric("events_90d", ROWS, _days(90)),
    NaiveMetric("logins_7d", ROWS, f"{_code('login')} AND {_days(7)}"),
    NaiveMetric("logins_30d", ROWS, f"{_code('login')} AND {_days(30)}"),
    NaiveMetric("logins_ever", ROWS, f"{_code('login')} AND {_days(None)}"),
    NaiveMetric("exports_30d", ROWS, f"{_code('export')} AND {_days(30)}"),
    NaiveMetric("invites_90d", ROWS, f"{_code('invite_sent')} AND {_days(90)}"),
    NaiveMetric("api_calls_30d", "sum(value){only}", f"{_code('api_call')} AND {_days(30)}"),
    NaiveMetric("api_calls_mean", "avg(value){only}", f"{_code('api_call')} AND {_days(30)}", None),
    NaiveMetric("api_calls_most", "max(value){only}", f"{_code('api_call')} AND {_days(30)}", None),
    NaiveMetric("api_calls_latest", LATEST, f"{_code('api_call')} AND {_days(30)}", None),
    NaiveMetric("people_7d", PERSONS, _days(7)),
    NaiveMetric("people_30d", PERSONS, _days(30)),
    NaiveMetric("people_before", PERSONS, _days(30, 30)),
    NaiveMetric("features_7d", USED, _days(7)),
    NaiveMetric("features_30d", USED, _days(30)),
    NaiveMetric("core_features_30d", USED, f"{_features('f01', 'f02', 'f03')} AND {_days(30)}"),
    NaiveMetric("days_7d", DAYS, _days(7)),
    NaiveMetric("days_30d", DAYS, _days(30)),
    NaiveMetric("login_days_30d", DAYS, f"{_code('login')} AND {_days(30)}"),
    NaiveMetric("days_since_login", SINCE, f"{_code('login')} AND {_days(None)}", None),
    NaiveMetric("days_since_event", SINCE, _days(None), None),
    NaiveMetric("change_30d", CHANGE, _days(60), None),
    NaiveMetric("slope_28d", SLOPE, _days(28)),
    NaiveMetric("feature_share_30d", SHARE, _days(30), None),
)

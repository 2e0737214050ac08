"""Definitions of metrics: one value per customer (or person) as of a date."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from keepwell.model.base import ExpressionText, Strict


class MetricType(StrEnum):
    """What kind of value a metric has."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"


class Aggregate(StrEnum):
    """How the rows of a table become one value."""

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    LATEST = "latest"
    FIRST = "first"
    EXISTS = "exists"
    SHARE = "share"
    RATIO = "ratio"
    CHANGE = "change"
    DAYS_SINCE = "days_since"
    SLOPE = "slope"


PEOPLE_METRICS = "people_metrics"
ZERO_WHEN_EMPTY = frozenset({Aggregate.COUNT, Aggregate.COUNT_DISTINCT, Aggregate.SUM, Aggregate.EXISTS})
NEEDS_OF = frozenset(
    {Aggregate.COUNT_DISTINCT, Aggregate.SUM, Aggregate.MEAN, Aggregate.MIN, Aggregate.MAX, Aggregate.LATEST}
    | {Aggregate.FIRST, Aggregate.RATIO}
)


class Metric(Strict):
    """One metric. Exactly one source: `attribute`, `table` with `aggregate`, `expr`, or `given: true`."""

    label: str = ""
    description: str = ""
    unit: str = ""
    type: MetricType | None = Field(None, description="Found from the source when left out.")
    values: tuple[str, ...] = Field((), description="What a text metric may be; other spellings of case are accepted.")
    entity: Literal["customer", "person"] = "customer"

    attribute: str | None = Field(None, description="A column of customers, or traits.KEY.")
    table: str | None = Field(None, description="A canonical table, or people_metrics (one row per person).")
    aggregate: Aggregate | None = None
    of: ExpressionText | None = Field(None, description="What is aggregated: people, features, days, or an expression.")
    per: ExpressionText | None = Field(None, description="The denominator of a ratio.")
    where: ExpressionText | None = Field(None, description="Which rows count.")
    matching: ExpressionText | None = Field(None, description="The rows that a share counts, of those in `where`.")
    window: Annotated[int, Field(ge=1, le=3660)] | None = Field(None, description="Whole days; all history if absent.")
    offset: Annotated[int, Field(ge=0, le=3660)] = Field(0, description="Days between as-of and the window's end.")
    time: str | None = Field(None, description="The column that places a row in time; the table's own if absent.")
    never: Literal["unknown", "account_age"] = Field("unknown", description="days_since when it never happened.")

    expr: ExpressionText | None = Field(None, description="An expression over other metrics.")
    given: bool = Field(False, description="Only ever given directly; unknown when computed.")

    empty: float | Literal["unknown"] | None = Field(
        None, description="The value when the source covers but saw nothing."
    )
    stale_after_days: int | None = Field(
        None, description="Unknown when the feed is older; the table's setting if absent."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "Metric":
        sources = [n for n in ("attribute", "table", "expr") if getattr(self, n) is not None] + ["given"] * self.given
        if len(sources) != 1:
            raise ValueError(
                "needs exactly one of attribute, table, expr, given" + (f", has {sources}" if sources else "")
            )
        if (self.table is None) != (self.aggregate is None):
            raise ValueError("table and aggregate go together")
        if self.aggregate in NEEDS_OF and self.of is None:
            raise ValueError(f"aggregate {self.aggregate} needs 'of'")
        if self.aggregate is Aggregate.RATIO and self.per is None:
            raise ValueError("aggregate ratio needs 'per'")
        if self.aggregate is Aggregate.SHARE and self.matching is None:
            raise ValueError("aggregate share needs 'matching'")
        if self.aggregate in (Aggregate.CHANGE, Aggregate.SLOPE) and self.window is None:
            raise ValueError(f"aggregate {self.aggregate} needs 'window'")
        return self

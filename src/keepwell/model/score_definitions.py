"""Definitions of scorecards: measures turn metrics into points, components gather them, bands name the result."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from keepwell.model.base import ExpressionText, Strict
from keepwell.model.condition_definitions import Condition


class Linear(Strict):
    """From 0 points at `from` to `points` at `to`, straight, capped at both ends."""

    points: float
    start: float = Field(0.0, alias="from")
    end: float = Field(alias="to")

    @model_validator(mode="after")
    def _spread(self) -> "Linear":
        if self.start == self.end:
            raise ValueError("'from' and 'to' must differ")
        return self


class Step(Strict):
    """One step: the first whose bound holds gives its points."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    points: float

    @model_validator(mode="after")
    def _one_bound(self) -> "Step":
        if sum(b is not None for b in (self.at_least, self.above, self.at_most, self.below)) != 1:
            raise ValueError("a step needs exactly one of at_least, above, at_most, below")
        return self


class PerUnit(Strict):
    """`points` for each unit of the metric, never more (in size) than `limit`."""

    points: float
    limit: float | None = None


class Bonus(Strict):
    """Points when a condition holds."""

    when: Condition
    points: float


class Case(Strict):
    """One case of an ordered list: the first that holds decides."""

    when: Condition
    points: float


class Neutral(Strict):
    """Without data the measure gets these points."""

    neutral: float


class CarryForward(Strict):
    """Without data the last known value of at most so many days ago is used."""

    carry_forward: int = Field(ge=1, le=90)


Missing = Literal["exclude", "zero"] | Neutral | CarryForward
CURVES = ("value", "linear", "interpolate", "steps", "per_unit", "bonus", "flag", "lookup", "cases")


class Measure(Strict):
    """A metric turned into points by exactly one curve."""

    label: str = ""
    metric: str | None = Field(None, description="Needed by every curve but bonus and cases.")
    weight: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Share in its component; else its largest points."
    )
    missing: Missing = "exclude"
    reason: str = Field("", description="In words, with {value}: shown when the measure loses points.")

    value: Literal[True] | None = Field(None, description="The metric is already 0 to 100.")
    linear: Linear | None = None
    interpolate: tuple[tuple[float, float], ...] | None = Field(
        None, min_length=2, description="[value, points] pairs."
    )
    steps: tuple[Step, ...] | None = Field(None, min_length=1)
    per_unit: PerUnit | None = None
    bonus: Bonus | None = None
    flag: float | None = Field(None, description="Points when the metric is true.")
    lookup: dict[str, float] | None = Field(None, min_length=1)
    cases: tuple[Case, ...] | None = Field(None, min_length=1)
    otherwise: float = Field(0.0, alias="else", description="Points when no step, case or entry fits.")

    @property
    def curve(self) -> str:
        return next(c for c in CURVES if getattr(self, c) is not None)

    @model_validator(mode="after")
    def _one_curve(self) -> "Measure":
        given = [c for c in CURVES if getattr(self, c) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one curve of {', '.join(CURVES)}; has {', '.join(given) or 'none'}")
        if (self.metric is None) == (given[0] not in ("bonus", "cases")):
            raise ValueError(f"curve {given[0]} {'needs' if self.metric is None else 'takes no'} 'metric'")
        if self.interpolate and [x for x, _ in self.interpolate] != sorted({x for x, _ in self.interpolate}):
            raise ValueError("interpolate needs values in rising order, each once")
        return self


class Override(Strict):
    """When it holds the whole component has this score, whatever its measures say."""

    when: Condition
    score: float


class Component(Strict):
    """A group of measures: the weighted mean of 0–100 values, or a sum of points within floor and maximum."""

    label: str = ""
    method: Literal["mean", "sum"] = "sum"
    weight: float | None = Field(None, ge=0, description="Share in a mean score; in a sum score the maximum counts.")
    maximum: float = Field(100.0, gt=0)
    floor: float = 0.0
    start: float = 0.0
    override: tuple[Override, ...] = ()
    measures: dict[str, Measure] = Field(min_length=1)


class Band(Strict):
    """A named range: from this score (inclusive) up to the next band."""

    name: str
    start: float = Field(alias="from")
    color: Literal["green", "lime", "yellow", "orange", "red", "gray"] = "gray"
    meaning: str = ""
    action: str = ""


class Score(Strict):
    """A scorecard. `health`: higher is healthier; `risk`: higher is worse. Both run from 0 to 100."""

    label: str = ""
    description: str = ""
    kind: Literal["health", "risk", "other"] = "health"
    method: Literal["mean", "sum"] = "mean"
    minimum_coverage: float | None = Field(
        None, ge=0, le=1, description="Below it there is no score; the setting if absent."
    )
    components: dict[str, Component] = Field(min_length=1)
    bands: tuple[Band, ...] = Field(min_length=1)
    target: ExpressionText | None = None

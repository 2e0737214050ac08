"""The result for one customer on one date, as people and programs read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from keepwell.evaluation.missing import inputs_asked_for
from keepwell.evaluation.model_run import Evaluation
from keepwell.metrics.frame import Bools, Floats, number_day
from keepwell.scoring.scorecards import ScoreColumns

COVERAGE_PLACES: Final = 6
Names = tuple[str, ...]


@dataclass(frozen=True)
class HealthResult:
    """A health score; `score` and `raw` are None, and the band says so, when there is not enough data."""

    score: int | None
    raw: float | None
    band: str
    coverage: float
    components: Mapping[str, float | None]


@dataclass(frozen=True)
class RiskResult:
    """A score of churn risk: higher is worse."""

    score: int | None
    band: str


@dataclass(frozen=True)
class ScoreResult:
    """What a model says about one customer on one date."""

    customer_id: str
    as_of: date
    health: HealthResult | None
    churn_risk: RiskResult | None
    primary: str | None
    segments: Names
    signals: Names
    missing: Names

    def as_dict(self) -> dict[str, Any]:
        """The result as plain data, ready for JSON."""
        health, risk = self.health, self.churn_risk
        return {
            "customer_id": self.customer_id,
            "as_of": self.as_of.isoformat(),
            "health": None if health is None else {**vars(health), "components": dict(health.components)},
            "churn_risk": None if risk is None else dict(vars(risk)),
            "segments": {"primary": self.primary, "all": list(self.segments)},
            "signals": list(self.signals),
            "missing": list(self.missing),
        }


def score_results(evaluation: Evaluation, supplied: frozenset[str]) -> tuple[ScoreResult, ...]:
    """The results of all rows; `supplied` names the metrics that were given and not computed."""
    compiled, frame = evaluation.compiled, evaluation.frame
    health, risk = compiled.health(), compiled.churn_risk()
    asked = inputs_asked_for(compiled, supplied)
    unknown = [~evaluation.columns[name].known for name in asked]
    matching = [(signal.name, signal.matches) for signal in evaluation.signals]
    columns = zip(
        frame.customers,
        frame.days,
        _healths(evaluation.scores[health]) if health else [None] * frame.rows,
        _risks(evaluation.scores[risk]) if risk else [None] * frame.rows,
        evaluation.segments.primary.objects(),
        _segments(evaluation),
        _listed([name for name, _ in matching], [found for _, found in matching], frame.rows),
        _listed(asked, unknown, frame.rows),
        strict=True,
    )
    return tuple(ScoreResult(str(customer), number_day(day), *rest) for customer, day, *rest in columns)


def _healths(score: ScoreColumns) -> list[HealthResult]:
    parts = {c.name: _or_none(c.value) for c in score.components}
    columns = zip(
        _whole(score.shown),
        _or_none(score.raw),
        score.band.objects(),
        np.round(score.coverage, COVERAGE_PLACES).tolist(),
        strict=True,
    )
    return [
        HealthResult(*values, {name: column[row] for name, column in parts.items()})
        for row, values in enumerate(columns)
    ]


def _risks(score: ScoreColumns) -> list[RiskResult]:
    return [RiskResult(*pair) for pair in zip(_whole(score.shown), score.band.objects(), strict=True)]


def _segments(evaluation: Evaluation) -> list[Names]:
    segments = evaluation.segments.segments
    matches = [s.matches for s in segments]
    return [
        tuple(s.shown(row) for s, found in zip(segments, matches, strict=True) if found[row])
        for row in range(evaluation.frame.rows)
    ]


def _listed(names: list[str] | Names, found: list[Bools], rows: int) -> list[Names]:
    """For every row the names whose column is true."""
    if not names:
        return [()] * rows
    table = np.stack(found, axis=1)
    return [tuple(name for name, hit in zip(names, hits, strict=True) if hit) for hits in table.tolist()]


def _or_none(values: Floats) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _whole(values: Floats) -> list[int | None]:
    return [None if value != value else int(value) for value in values.tolist()]

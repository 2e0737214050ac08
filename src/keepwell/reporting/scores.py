"""The health score of a model as reports read it: its name, its bands, and averages that leave out the unknown."""

from dataclasses import dataclass
from math import fsum
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.metrics.frame import Bools, Floats
from keepwell.model.loader import LoadedModel
from keepwell.model.score_definitions import Score
from keepwell.reporting.reading import Day

AT_RISK_COLORS: Final = frozenset({"red", "orange"})
SERIOUS: Final = frozenset({"medium", "high", "critical"})


@dataclass(frozen=True)
class HealthColumns:
    """The health score of a day; `name` and `definition` are None in a model without one."""

    name: str | None
    definition: Score | None
    shown: Floats
    raw: Floats
    coverage: Floats


def health_name(loaded: LoadedModel) -> str | None:
    """The name of the model's health score."""
    return compile_model(loaded).health()


def health_of(loaded: LoadedModel, day: Day) -> HealthColumns:
    """The health score of every row."""
    name = health_name(loaded)
    columns = [day.number(f"{name}_{part}") for part in ("score", "raw", "coverage")]
    return HealthColumns(name, loaded.model.scores[name] if name else None, columns[0], columns[1], columns[2])


def at_risk(loaded: LoadedModel, day: Day) -> tuple[Bools, str]:
    """Who counts as at risk, and by which rule: a red or orange band, or trouble where there is no score."""
    compiled = compile_model(loaded)
    score = compiled.churn_risk() or compiled.health()
    if score is not None:
        definition = loaded.model.scores[score]
        names = [band.name for band in definition.bands if band.color in AT_RISK_COLORS]
        found: Bools = np.isin(day.text(f"{score}_band").astype(str), names)
        return found, f"{definition.label or score} is {' or '.join(names)}"
    wrong = {n for n, s in loaded.model.signals.items() if s.kind != "expansion" and s.severity in SERIOUS}
    red = {name for name, segment in loaded.model.segments.items() if segment.color in AT_RISK_COLORS}
    lists = zip(day.lists("signals"), day.lists("segments"), strict=True)
    marks = [not (wrong.isdisjoint(signals) and red.isdisjoint(segments)) for signals, segments in lists]
    return np.array(marks, dtype=np.bool_), "in a red or orange segment, or with a risk or alert signal"


def mean(values: Floats) -> float | None:
    """The mean of what is known; None when nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def weighted_mean(values: Floats, weights: Floats) -> float | None:
    """The mean by weight over rows where both are known; None without weight."""
    known = ~np.isnan(values) & ~np.isnan(weights) & (weights > 0)
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum() / total) if total > 0 else None


def money(amounts: Floats) -> float:
    """A sum of amounts to the cent; what is unknown adds nothing."""
    return round(fsum(amounts[~np.isnan(amounts)].tolist()), 2)


def share(part: float, whole: float) -> float | None:
    """A part of a whole; None when there is no whole."""
    return part / whole if whole else None

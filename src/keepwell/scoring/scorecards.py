"""Scorecards: components become a score from 0 to 100 with its coverage and band."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepwell.metrics.frame import Column, Floats, coded_column, number_column
from keepwell.model.score_definitions import Band, Component, Score
from keepwell.scoring.components import ComponentColumns, evaluate_component
from keepwell.scoring.inputs import Inputs

NOT_ENOUGH_DATA: Final = "Not enough data"
BINARY_NOISE: Final = 1e-9
_ARRAYS: Final = ("raw", "computed", "shown", "coverage")


@dataclass(frozen=True)
class ScoreColumns:
    """One score. `raw` and `shown` are nan below the minimum coverage; `computed` is `raw` without that rule."""

    name: str
    definition: Score
    raw: Floats
    computed: Floats
    shown: Floats
    coverage: Floats
    band: Column
    components: tuple[ComponentColumns, ...]

    def names(self) -> dict[str, Column]:
        """The columns other definitions can read."""
        return {
            f"{self.name}_score": number_column(self.shown),
            f"{self.name}_band": self.band,
            f"{self.name}_coverage": number_column(self.coverage),
        }

    def take(self, rows: npt.NDArray[Any] | slice) -> "ScoreColumns":
        """The score at the given rows."""
        arrays = {key: getattr(self, key)[rows] for key in _ARRAYS}
        return replace(
            self, **arrays, band=self.band.take(rows), components=tuple(c.take(rows) for c in self.components)
        )


def evaluate_score(
    name: str, score: Score, inputs: Inputs, minimum_coverage: float, *, lean: bool = True
) -> ScoreColumns:
    """Evaluate one score on every row; `lean` drops the measures of each component as soon as it is done."""
    parts = []
    for key, component in score.components.items():
        part = evaluate_component(key, component, inputs)
        parts.append(replace(part, measures=()) if lean else part)
    components = tuple(parts)
    computed = _computed(score, components)
    coverage = _coverage(score, components)
    minimum = score.minimum_coverage if score.minimum_coverage is not None else minimum_coverage
    raw = np.where(coverage + BINARY_NOISE < minimum, np.nan, computed)
    shown = round_half_up(raw)
    return ScoreColumns(name, score, raw, computed, shown, coverage, band_column(score.bands, shown), components)


def component_weight(score: Score, component: Component) -> float:
    """The share of a component in its score: its maximum where points are summed."""
    if score.method == "sum":
        return component.maximum
    return component.weight if component.weight is not None else 1.0


def round_half_up(values: Floats) -> Floats:
    """To whole numbers; a half that binary arithmetic left a hair too low still rounds up."""
    return np.floor(values + 0.5 + BINARY_NOISE)


def band_column(bands: tuple[Band, ...], shown: Floats) -> Column:
    """The name of the band of every shown score."""
    rising = sorted(bands, key=lambda band: band.start)
    texts = tuple(dict.fromkeys([*(band.name for band in rising), NOT_ENOUGH_DATA]))
    index = np.searchsorted(np.array([band.start for band in rising]), shown, side="right") - 1
    places = np.array([texts.index(band.name) for band in rising], dtype=np.float64)
    codes = places[np.clip(index, 0, len(rising) - 1)]
    return coded_column(np.where(np.isnan(shown), texts.index(NOT_ENOUGH_DATA), codes), texts)


def _computed(score: Score, components: tuple[ComponentColumns, ...]) -> Floats:
    """Components re-normalised over what is present; a sum is brought back to the full total of its maxima."""
    rows = len(components[0].value)
    top, bottom, total = np.zeros(rows), np.zeros(rows), 0.0
    for part in components:
        weight = component_weight(score, part.definition)
        unit = weight if score.method == "mean" else 1.0
        kept = ~np.isnan(part.value)
        top += np.where(kept, unit * part.present * part.value, 0.0)
        bottom += np.where(kept, weight * part.present, 0.0)
        total += weight
    bottom = np.where(bottom > 0, bottom, np.nan)
    return np.clip(top / bottom if score.method == "mean" else top * (total / bottom), 0.0, 100.0)


def _coverage(score: Score, components: tuple[ComponentColumns, ...]) -> Floats:
    covered, total = np.zeros(len(components[0].value)), 0.0
    for part in components:
        weight = component_weight(score, part.definition)
        covered += weight * part.covered
        total += weight
    return covered / total if total > 0 else covered

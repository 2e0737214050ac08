"""A scorecard as a table: what each measure reads, how it becomes points, what it weighs, and what can be edited."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from keepwell.model.loader import LoadedModel
from keepwell.model.score_definitions import Component, Measure, Score
from keepwell.model.yaml_source import KeyPath
from keepwell.reporting.condition_words import ConditionWords
from keepwell.reporting.plain import Plain
from keepwell.reporting.words import label_of
from keepwell.scoring.curves import measure_weight
from keepwell.scoring.scorecards import component_weight
from keepwell.services.planning.curve_words import Threshold, curve_words, missing_words, thresholds

_PLACES: Final = 4


@dataclass(frozen=True)
class Editable(Plain):
    """A value that can be edited in place (see `edits.Edit`), with its name for a form."""

    label: str
    path: KeyPath
    value: Any


@dataclass(frozen=True)
class ScorecardRow(Plain):
    """One measure of one score. Shares are of the whole score; `place` is `file:line` where the model has files."""

    score: str
    score_label: str
    component: str
    component_label: str
    component_weight: float
    component_share: float
    method: str
    measure: str
    label: str
    metric: str
    metric_label: str
    unit: str
    weight: float
    share: float
    curve: str
    curve_words: str
    thresholds: tuple[Threshold, ...]
    missing: str
    reason: str
    place: str
    editable: tuple[Editable, ...]


@dataclass(frozen=True)
class BandRow(Plain):
    """One band of one score."""

    score: str
    name: str
    start: float
    color: str
    meaning: str
    action: str
    place: str
    editable: tuple[Editable, ...]


@dataclass(frozen=True)
class SettingRow(Plain):
    """One setting of the model."""

    name: str
    value: Any
    place: str
    editable: tuple[Editable, ...]


def scorecard_table(loaded: LoadedModel) -> tuple[ScorecardRow, ...]:
    """Every measure of every score, in the model's order."""
    return tuple(
        _row(loaded, score_name, part_name, name, measure)
        for score_name, score in loaded.model.scores.items()
        for part_name, part in score.components.items()
        for name, measure in part.measures.items()
    )


def bands_table(loaded: LoadedModel) -> tuple[BandRow, ...]:
    """Every band of every score, in the model's order."""
    rows = []
    for name, score in loaded.model.scores.items():
        for i, band in enumerate(score.bands):
            path: KeyPath = ("scores", name, "bands", i)
            edits = (Editable("from", (*path, "from"), band.start), Editable("name", (*path, "name"), band.name))
            shown = (band.name, band.start, band.color, band.meaning, band.action)
            rows.append(BandRow(name, *shown, place_of(loaded, path), edits))
    return tuple(rows)


def settings_table(loaded: LoadedModel) -> tuple[SettingRow, ...]:
    """The settings that expressions use, and the minimum coverage."""
    settings = loaded.model.settings
    found: list[tuple[str, KeyPath, Any]] = [
        ("minimum_coverage", ("settings", "minimum_coverage"), settings.minimum_coverage)
    ]
    for name, value in settings.values.items():
        shown = list(value) if isinstance(value, tuple) else value
        found.append((name, ("settings", "values", name), shown))
    return tuple(SettingRow(n, v, place_of(loaded, p), (Editable(n, p, v),)) for n, p, v in found)


def place_of(loaded: LoadedModel, path: KeyPath) -> str:
    """`file:line` of a definition; empty for a model that was not read from files."""
    best = max(loaded.documents, key=lambda d: _depth(d.values.keys() | d.keys.keys(), path), default=None)
    return "" if best is None else f"{best.path}:{best.position(path, key=True)[0]}"


def _depth(known: "set[KeyPath]", path: KeyPath) -> int:
    return next((length for length in range(len(path), 0, -1) if path[:length] in known), 0)


def _row(loaded: LoadedModel, score_name: str, part_name: str, name: str, measure: Measure) -> ScorecardRow:
    score = loaded.model.scores[score_name]
    part = score.components[part_name]
    path: KeyPath = ("scores", score_name, "components", part_name, "measures", name)
    metric = loaded.model.metrics.get(measure.metric or "")
    unit = metric.unit if metric else ""
    share = _component_share(score, part)
    words = ConditionWords(loaded.model)
    return ScorecardRow(
        score=score_name,
        score_label=score.label or score_name,
        component=part_name,
        component_label=part.label or part_name,
        component_weight=component_weight(score, part),
        component_share=round(share, _PLACES),
        method=part.method,
        measure=name,
        label=measure.label or (words.name(measure.metric) if measure.metric else label_of(name, None)),
        metric=measure.metric or "",
        metric_label=words.name(measure.metric) if measure.metric else "",
        unit=unit,
        weight=measure_weight(measure, part),
        share=round(share * _measure_share(measure, part), _PLACES),
        curve=measure.curve,
        curve_words=curve_words(measure, words, unit),
        thresholds=thresholds(measure, words, unit),
        missing=missing_words(measure),
        reason=measure.reason,
        place=place_of(loaded, path),
        editable=tuple(_editable(score, part, measure, path)),
    )


def _component_share(score: Score, part: Component) -> float:
    everything = sum(component_weight(score, other) for other in score.components.values())
    return component_weight(score, part) / everything if everything else 0.0


def _measure_share(measure: Measure, part: Component) -> float:
    everything = sum(measure_weight(other, part) for other in part.measures.values())
    return measure_weight(measure, part) / everything if everything else 0.0


def _editable(score: Score, part: Component, measure: Measure, path: KeyPath) -> Iterator[Editable]:
    # Where no weights are written all weigh the same: one alone cannot be changed.
    if score.method == "sum":
        yield Editable("component maximum", (*path[:4], "maximum"), part.maximum)
    elif part.weight is not None:
        yield Editable("component weight", (*path[:4], "weight"), part.weight)
    if measure.weight is not None:
        yield Editable("weight", (*path, "weight"), measure.weight)
    yield from _curve_edits(measure, path)


def _curve_edits(measure: Measure, path: KeyPath) -> Iterator[Editable]:
    if measure.linear is not None:
        at = (*path, "linear")
        yield Editable("from", (*at, "from"), measure.linear.start)
        yield Editable("to", (*at, "to"), measure.linear.end)
        yield Editable("points", (*at, "points"), measure.linear.points)
    if measure.per_unit is not None:
        yield Editable("points for each", (*path, "per_unit", "points"), measure.per_unit.points)
        if measure.per_unit.limit is not None:
            yield Editable("limit", (*path, "per_unit", "limit"), measure.per_unit.limit)
    for i, (value, points) in enumerate(measure.interpolate or ()):
        yield Editable(f"value {i + 1}", (*path, "interpolate", i, 0), value)
        yield Editable(f"points {i + 1}", (*path, "interpolate", i, 1), points)
    yield from _listed_edits(measure, path)


def _listed_edits(measure: Measure, path: KeyPath) -> Iterator[Editable]:
    for i, step in enumerate(measure.steps or ()):
        bounds = step.model_dump(exclude={"points"}, exclude_none=True)
        for key, value in bounds.items():
            yield Editable(f"step {i + 1} {key.replace('_', ' ')}", (*path, "steps", i, key), value)
        yield Editable(f"step {i + 1} points", (*path, "steps", i, "points"), step.points)
    for key, points in (measure.lookup or {}).items():
        yield Editable(key, (*path, "lookup", key), points)
    for i, case in enumerate(measure.cases or ()):
        yield Editable(f"case {i + 1} points", (*path, "cases", i, "points"), case.points)
    if measure.bonus is not None:
        yield Editable("points", (*path, "bonus", "points"), measure.bonus.points)
    if measure.flag is not None:
        yield Editable("points", (*path, "flag"), measure.flag)
    if measure.otherwise or measure.curve in ("steps", "lookup", "cases"):
        yield Editable("else", (*path, "else"), measure.otherwise)

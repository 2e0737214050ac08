"""What would move a customer to the next better band: the measures with most to gain, and the values they need."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from keepwell.evaluation.explain import ExplainedScore
from keepwell.evaluation.explained_conditions import tree_text
from keepwell.model.condition_definitions import Condition
from keepwell.model.metric_definitions import Metric
from keepwell.model.score_definitions import Measure, Step
from keepwell.reporting.words import label_of, metric_words
from keepwell.services.explaining import Explained
from keepwell.services.published.explained import customer_explained
from keepwell.services.workspace import Workspace

_FULL: Final = 100.0


@dataclass(frozen=True)
class Move:
    """A measure and what it could add. `target` says which value gives all its points, in words."""

    component: str
    measure: str
    label: str
    metric: str
    value: str
    target: str | None
    points: float


@dataclass(frozen=True)
class NextBand:
    """The next better band of a score: the score it needs, the points to go, and the measures that could get there."""

    score: str
    label: str
    now: int
    band: str
    needs: int
    points: int
    movers: tuple[Move, ...]


def next_band(workspace: Workspace, customer_id: str) -> NextBand | None:
    """The way to the next band on the current date; None in the best band and without a score."""
    explained = customer_explained(workspace, customer_id)
    return band_next(explained, workspace.currency)


def band_next(explained: Explained, currency: str) -> NextBand | None:
    """The same for a customer that is explained already."""
    name = explained.compiled.health() or explained.compiled.churn_risk()
    score = next((s for s in explained.explanation.scores if s.name == name), None)
    if score is None or score.ahead is None or score.score is None:
        return None
    ahead = score.ahead
    movers = tuple(_movers(explained, score, currency))
    return NextBand(score.name, score.label, score.score, ahead.band, ahead.needs, ahead.points, movers)


def _movers(explained: Explained, score: ExplainedScore, currency: str) -> Iterator[Move]:
    definitions = explained.compiled.model.scores[score.name].components
    for mover in score.ahead.movers if score.ahead else ():
        measure = definitions[mover.component].measures[mover.measure]
        name = measure.metric or ""
        metric = explained.compiled.model.metrics.get(name)
        column = explained.evaluation.columns.get(name)
        value = "" if column is None else metric_words(column.item(explained.row), metric, currency)
        label = measure.label or label_of(name or mover.measure, metric)
        targets = _Targets(explained, metric, currency, lowest=score.kind == "risk")
        target = targets.of(measure)
        yield Move(mover.component, mover.measure, label, name, value, target, float(mover.points))


@dataclass(frozen=True)
class _Targets:
    """The value that gives a measure's best points (`lowest`: the fewest), in words."""

    explained: Explained
    metric: Metric | None
    currency: str
    lowest: bool

    def of(self, measure: Measure) -> str | None:
        """The value in words; None where no value can be named."""
        match measure.curve:
            case "value":
                return self._words(0.0 if self.lowest else _FULL)
            case "linear" | "interpolate":
                return self._on_line(measure)
            case "steps":
                return self._step(measure)
            case "per_unit":
                return self._units(measure)
            case "flag":
                return self._words(self._better(measure.flag or 0.0, measure.otherwise))
            case "lookup":
                return self._listed(measure)
        return self._condition(measure)

    def _words(self, value: object) -> str:
        return metric_words(value, self.metric, self.currency)

    def _better(self, points: float, other: float) -> bool:
        return points < other if self.lowest else points > other

    def _on_line(self, measure: Measure) -> str | None:
        if measure.linear is not None:
            line = measure.linear
            up = self._better(line.points, 0.0)
            value, other = (line.end, line.start) if up else (line.start, line.end)
            return f"{'at least' if value > other else 'at most'} {self._words(value)}"
        pairs = measure.interpolate or ()
        best = (min if self.lowest else max)(points for _, points in pairs)
        places = [place for place, (_, points) in enumerate(pairs) if points == best]
        if places[-1] == len(pairs) - 1:
            return f"at least {self._words(pairs[places[0]][0])}"
        words = self._words(pairs[places[-1]][0])
        return f"at most {words}" if places[0] == 0 else words

    def _step(self, measure: Measure) -> str | None:
        steps = measure.steps or ()
        best = (min if self.lowest else max)((*(step.points for step in steps), measure.otherwise))
        found = next((step for step in steps if step.points == best), None)
        if found is not None:
            return self._bound(found)
        return f"not {self._bound(steps[0])}" if len(steps) == 1 else None

    def _bound(self, step: Step) -> str:
        for bound, text in ((step.at_least, "at least"), (step.above, "above"), (step.at_most, "at most")):
            if bound is not None:
                return f"{text} {self._words(bound)}"
        return f"below {self._words(step.below)}"

    def _units(self, measure: Measure) -> str | None:
        unit = measure.per_unit
        if unit is None or unit.points == 0:
            return None
        if (unit.points < 0) != self.lowest:
            return self._words(0.0)
        return None if unit.limit is None else f"at least {self._words(abs(unit.limit / unit.points))}"

    def _listed(self, measure: Measure) -> str | None:
        entries = measure.lookup or {}
        best = (min if self.lowest else max)((*entries.values(), measure.otherwise))
        names = [name for name, points in entries.items() if points == best]
        return " or ".join(names) or None

    def _condition(self, measure: Measure) -> str | None:
        if measure.bonus is not None:
            better = self._better(measure.bonus.points, measure.otherwise)
            text = self._text(measure.bonus.when)
            return text if better else f"not ({text})"
        cases = measure.cases or ()
        best = (min if self.lowest else max)((*(case.points for case in cases), measure.otherwise))
        found = next((case for case in cases if case.points == best), None)
        return None if found is None else self._text(found.when)

    def _text(self, condition: Condition) -> str:
        return tree_text(self.explained.compiled.conditions[condition])

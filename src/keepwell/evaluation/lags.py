"""How far back a model looks: the days that must be present to evaluate one day exactly."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from keepwell.model.condition_definitions import Condition
from keepwell.model.conditions import ConditionTree, Group, InSegmentLeaf, Leaf, MovedLeaf
from keepwell.model.definitions import Model
from keepwell.model.expressions import Call, Expression, ExpressionError, Literal, Name, children
from keepwell.model.graph import SCORE_PARTS, primary_dimension, segment_key
from keepwell.model.score_definitions import CarryForward, Component, Measure, Score

Offsets = frozenset[int]
TODAY: Offsets = frozenset({0})


class Lags:
    """Offsets of every definition, each found once; a definition that reads its own past is an error."""

    def __init__(
        self, model: Model, formulas: Mapping[str, Expression], trees: Mapping[Condition, ConditionTree]
    ) -> None:
        self.model, self.formulas, self.trees = model, formulas, trees
        self._done: dict[str, Offsets] = {}
        self._open: list[str] = []
        self._owners = {f"{name}_{part}": name for name in model.scores for part in SCORE_PARTS}

    def all(self) -> tuple[int, ...]:
        """The offsets of the whole model, in rising order."""
        found = set(TODAY)
        for name, metric in self.model.metrics.items():
            if metric.entity == "customer":
                found |= self._name(name)
        for name in self.model.scores:
            found |= self._score(name)
        for name in self.model.segments:
            found |= self._segment(name)
        for signal in self.model.signals.values():
            found |= self._formula(signal.value)
        for name in self.model.signals:
            found |= self._signal(name)
        return tuple(sorted(found))

    def _once(self, key: str, find: Callable[[], Offsets]) -> Offsets:
        if key in self._done:
            return self._done[key]
        if key in self._open:
            raise ExpressionError(f"a circle: {' -> '.join([*self._open[self._open.index(key) :], key])}")
        self._open.append(key)
        self._done[key] = find()
        self._open.pop()
        return self._done[key]

    def _name(self, name: str) -> Offsets:
        if name in self.model.metrics:
            return self._once(f"metric {name}", lambda: self._formula(self.model.metrics[name].expr))
        if name in self._owners:
            return self._score(self._owners[name])
        if name == "segment":
            primary = primary_dimension(self.model.segments.values())
            return _union(self._segment(k) for k, s in self.model.segments.items() if s.dimension == primary)
        return self._signal(name) if name in self.model.signals else TODAY

    def _signal(self, name: str) -> Offsets:
        return self._once(f"signal {name}", lambda: self._condition(self.model.signals[name].when))

    def _formula(self, text: str | None) -> Offsets:
        return TODAY if text is None else self._expression(self.formulas[text])

    def _expression(self, expression: Expression) -> Offsets:
        match expression:
            case Name(name):
                return self._name(name)
            case Call("before", (Name(name), Literal(Decimal() as days))):
                return _shifted(self._name(name), (int(days),))
            case _:
                return _union(map(self._expression, children(expression)))

    def _condition(self, condition: Condition | None) -> Offsets:
        return TODAY if condition is None else self._tree(self.trees[condition])

    def _tree(self, tree: ConditionTree) -> Offsets:
        match tree:
            case Group(_, items):
                return _union(map(self._tree, items))
            case Leaf(expression, _):
                return self._expression(expression)
            case InSegmentLeaf(segment):
                return self._member(segment)
            case MovedLeaf(_, target, days):
                return _shifted(self._member(target), range(days + 1))

    def _member(self, target: str) -> Offsets:
        """A segment by its shown name, or the score that has a band of this name."""
        key = segment_key(self.model, target)
        if key is not None:
            return self._segment(key)
        owner = band_owner(self.model, target)
        return TODAY if owner is None else self._score(owner)

    def _segment(self, name: str) -> Offsets:
        return self._once(f"segment {name}", lambda: self._one_segment(name))

    def _one_segment(self, name: str) -> Offsets:
        segment = self.model.segments[name]
        found = self._condition(segment.when)
        if segment.by is not None:
            found |= self._name(segment.by)
        if segment.parent is not None:
            found |= self._segment(segment.parent)
        if segment.catch_all:
            others = (k for k, s in self.model.segments.items() if s.dimension == segment.dimension)
            found |= _union(self._segment(k) for k in others if not self.model.segments[k].catch_all)
        return found

    def _score(self, name: str) -> Offsets:
        return self._once(f"score {name}", lambda: self._one_score(self.model.scores[name]))

    def _one_score(self, score: Score) -> Offsets:
        return _union(self._component(component) for component in score.components.values())

    def _component(self, component: Component) -> Offsets:
        overrides = _union(self._condition(override.when) for override in component.override)
        return overrides | _union(map(self._measure, component.measures.values()))

    def _measure(self, measure: Measure) -> Offsets:
        found = TODAY if measure.metric is None else self._name(measure.metric)
        if measure.bonus is not None:
            found |= self._condition(measure.bonus.when)
        found |= _union(self._condition(case.when) for case in measure.cases or ())
        if isinstance(measure.missing, CarryForward):
            return _shifted(found, range(measure.missing.carry_forward + 1))
        return found


def band_owner(model: Model, band: str) -> str | None:
    """The first score that has a band of this name."""
    return next((name for name, score in model.scores.items() if band in {b.name for b in score.bands}), None)


def _union(parts: Iterable[Offsets]) -> Offsets:
    return TODAY.union(*parts)


def _shifted(offsets: Offsets, by: Iterable[int]) -> Offsets:
    return frozenset(days + offset for days in by for offset in offsets)

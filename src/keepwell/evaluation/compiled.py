"""A model made ready: expressions parsed with their settings filled in, conditions in one shape, days needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from keepwell.evaluation.lags import Lags
from keepwell.evaluation.types import metric_types
from keepwell.model.condition_definitions import Condition
from keepwell.model.conditions import ConditionTree, change_expressions, condition_expression, name_signals
from keepwell.model.definitions import Model
from keepwell.model.expressions import Expression, parse_expression
from keepwell.model.graph import Node, evaluation_order, node_of, substitute_settings
from keepwell.model.loader import LoadedModel
from keepwell.model.metric_definitions import Metric, MetricType
from keepwell.model.usages import conditions


@dataclass(frozen=True)
class CompiledModel:
    """What evaluation reads. `lags` are the days back, 0 included, that a day's exact evaluation needs."""

    loaded: LoadedModel
    types: Mapping[str, MetricType]
    order: tuple[Node, ...]
    formulas: Mapping[str, Expression]
    conditions: Mapping[Condition, ConditionTree]
    lags: tuple[int, ...]

    @property
    def model(self) -> Model:
        return self.loaded.model

    def metrics(self) -> dict[str, Metric]:
        """The metrics of customers; those of persons are only aggregated by others."""
        return {name: metric for name, metric in self.model.metrics.items() if metric.entity == "customer"}

    def signals(self) -> frozenset[str]:
        """The signals that expressions can name: what has the same name and is a value comes first."""
        return _signals(self.model)

    def health(self) -> str | None:
        """The name of the health score; None when the model has none."""
        return _score_of_kind(self.model, "health", "health")

    def churn_risk(self) -> str | None:
        """The name of the score of churn risk; None when the model has none."""
        return _score_of_kind(self.model, "churn_risk", "risk")


class _Identity:
    """A model as a key: the same object, not the same content, which would cost a comparison of everything."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded

    def __hash__(self) -> int:
        return id(self.loaded)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.loaded is self.loaded


def compile_model(loaded: LoadedModel) -> CompiledModel:
    """Make a loaded model ready; the same object is made ready once."""
    return _compiled(_Identity(loaded))


def required_lags(compiled: CompiledModel) -> tuple[int, ...]:
    """All days back (0 is the day itself) whose rows must be in a frame to evaluate a day exactly."""
    return compiled.lags


@lru_cache(maxsize=32)
def _compiled(key: _Identity) -> CompiledModel:
    loaded = key.loaded
    model = loaded.model

    def ready(expression: Expression) -> Expression:
        return substitute_settings(expression, model.settings)

    signals = _signals(model)
    written = {c: condition_expression(c) for _, c in conditions(model)}
    trees = {c: change_expressions(name_signals(tree, signals), ready) for c, tree in written.items()}
    texts = {m.expr for m in model.metrics.values() if m.expr is not None and m.entity == "customer"}
    texts |= {s.value for s in model.signals.values() if s.value is not None}
    formulas = {text: ready(parse_expression(text)) for text in sorted(texts)}
    lags = Lags(model, formulas, trees).all()
    return CompiledModel(loaded, metric_types(model), evaluation_order(model), formulas, trees, lags)


def _signals(model: Model) -> frozenset[str]:
    return frozenset(name for name in model.signals if node_of(model, name) == f"signal:{name}")


def _score_of_kind(model: Model, name: str, kind: str) -> str | None:
    if name in model.scores:
        return name
    return next((key for key, score in model.scores.items() if score.kind == kind), None)

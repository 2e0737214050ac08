"""Behaviour that conditions of a model ask for: each becomes a metric that is true or false, named by its words."""

from collections.abc import Iterator, Mapping

from keepwell.model.behaviour_definitions import BehaviourDefinition
from keepwell.model.conditions import simple_conditions
from keepwell.model.criteria_reading import behaviour
from keepwell.model.criteria_tree import Behaviour
from keepwell.model.criteria_words import behaviour_words
from keepwell.model.definitions import Model
from keepwell.model.metric_definitions import Metric, MetricType
from keepwell.model.usages import conditions


def named_behaviours(model: Model) -> dict[str, Behaviour]:
    """Every behaviour of a model by the name of the metric that holds its truth."""
    return {behaviour_words(found): found for found in _behaviours(model)}


def with_behaviours(model: Model) -> Model:
    """The model with the metrics of its behaviours after its own; without any the same object."""
    found = behaviour_metrics(named_behaviours(model))
    return model.model_copy(update={"metrics": {**model.metrics, **found}}) if found else model


def without_behaviours(model: Model) -> Model:
    """The model as its files say it: names of behaviours are words and no file could define them."""
    found = named_behaviours(model)
    kept = {name: metric for name, metric in model.metrics.items() if name not in found}
    return model.model_copy(update={"metrics": kept}) if found else model


def behaviour_metrics(behaviours: Mapping[str, Behaviour]) -> dict[str, Metric]:
    """The metrics for behaviours: not computed from a table's rows but handed in as truth."""
    return {name: Metric(given=True, type=MetricType.BOOLEAN) for name in behaviours}


def _behaviours(model: Model) -> Iterator[Behaviour]:
    for path, condition in conditions(model):
        for _, part in simple_conditions(condition, path):
            if isinstance(part, BehaviourDefinition):
                yield behaviour(part)

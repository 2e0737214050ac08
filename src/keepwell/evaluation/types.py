"""What kind of value every metric has, found from its source when the model does not say."""

from typing import Final

from keepwell.model.definitions import Model
from keepwell.model.expressions import (
    Arithmetic,
    Call,
    Case,
    Expression,
    Literal,
    Name,
    parse_expression,
)
from keepwell.model.graph import derived_names, substitute_settings
from keepwell.model.metric_definitions import Aggregate, Metric, MetricType
from keepwell.warehouse.columns import METRIC_TYPES
from keepwell.warehouse.tables import TABLES

_SAME_AS_COLUMN: Final = frozenset({Aggregate.LATEST, Aggregate.FIRST, Aggregate.MIN, Aggregate.MAX})
_TEXTS: Final = frozenset({"lower", "upper", "trim", "concat", "replace", "substr", "split_part", "text", "property"})
_NUMBERS: Final = frozenset(
    {"days_since", "days_until", "days_between", "months_since", "hours_between", "length", "number"}
)
_SAME_AS_FIRST: Final = frozenset({"coalesce", "nullif", "least", "greatest", "before", "abs", "floor", "ceil"})


def metric_types(model: Model) -> dict[str, MetricType]:
    """The type of every metric of a model."""
    found: dict[str, MetricType] = {}
    for name in model.metrics:
        _metric_type(name, model, found, frozenset())
    return found


def _metric_type(name: str, model: Model, found: dict[str, MetricType], above: frozenset[str]) -> MetricType:
    if name in found:
        return found[name]
    metric = model.metrics.get(name)
    if metric is None or name in above:
        return _derived_type(name, model)
    if metric.expr is not None and metric.type is None and not metric.values:
        expression = substitute_settings(parse_expression(metric.expr), model.settings)
        kind = _expression_type(expression, model, found, above | {name})
    else:
        kind = _source_type(metric)
    found[name] = kind
    return kind


def _derived_type(name: str, model: Model) -> MetricType:
    """Scores and coverages are numbers; bands and segments are texts; signals are true or false."""
    if derived_names(model).get(name, "").startswith("signal:"):
        return MetricType.BOOLEAN
    return MetricType.TEXT if name == "segment" or name.endswith("_band") else MetricType.NUMBER


def _source_type(metric: Metric) -> MetricType:
    if metric.type is not None:
        return metric.type
    if metric.values:
        return MetricType.TEXT
    if metric.attribute is not None:
        return _column_type("customers", metric.attribute)
    if metric.aggregate is Aggregate.EXISTS:
        return MetricType.BOOLEAN
    if metric.aggregate in _SAME_AS_COLUMN and metric.table is not None:
        return _column_type(metric.table, metric.of or "")
    return MetricType.NUMBER


def _column_type(table: str, column: str) -> MetricType:
    known = TABLES[table].column(column) if table in TABLES else None
    return METRIC_TYPES[known.kind] if known else MetricType.NUMBER


def _expression_type(
    expression: Expression, model: Model, found: dict[str, MetricType], above: frozenset[str]
) -> MetricType:
    def kind(part: Expression) -> MetricType:
        match part:
            case Literal(value):
                return _literal_type(value)
            case Name(name):
                return _metric_type(name, model, found, above)
            case Arithmetic(_, left, right):
                dates = [kind(left), kind(right)].count(MetricType.DATE)
                return MetricType.DATE if dates == 1 else MetricType.NUMBER
            case Case(branches, otherwise):
                return kind(next((v for _, v in branches if not _is_null(v)), otherwise))
            case Call(function, arguments):
                return _call_type(function, [kind(a) for a in arguments])
            case _:
                return MetricType.BOOLEAN

    return kind(expression)


def _call_type(function: str, arguments: list[MetricType]) -> MetricType:
    if function == "as_of":
        return MetricType.DATE
    if function in _TEXTS:
        return MetricType.TEXT
    if function in _NUMBERS:
        return MetricType.NUMBER
    return arguments[0] if function in _SAME_AS_FIRST else MetricType.BOOLEAN


def _literal_type(value: object) -> MetricType:
    if isinstance(value, bool):
        return MetricType.BOOLEAN
    return MetricType.TEXT if isinstance(value, str) else MetricType.NUMBER


def _is_null(expression: Expression) -> bool:
    return isinstance(expression, Literal) and expression.value is None

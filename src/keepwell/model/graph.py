"""What is computed from what: the order of evaluation, and the earlier values it needs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from keepwell.model import expression_tree as tree
from keepwell.model.base import Scalar
from keepwell.model.definitions import Model, Segment, Settings
from keepwell.model.problems import did_you_mean
from keepwell.model.score_definitions import CarryForward
from keepwell.model.usages import Usage, segment_uses, usages
from keepwell.model.yaml_source import KeyPath

Values = Mapping[str, Scalar | tuple[Scalar, ...]]
SETTING: Final = "setting."
SEGMENTS: Final = "segments"
SCORE_PARTS: Final = ("score", "band", "coverage")
PRIMARY: Final = "primary"
NodeKind = Literal["metric", "score", "segment", "segments", "signal"]
_KINDS: Final[Mapping[str, NodeKind]] = {
    "metrics": "metric",
    "scores": "score",
    "segments": "segment",
    "signals": "signal",
}


@dataclass(frozen=True, order=True)
class History:
    """An earlier value that a node reads: what, how many days back, and whether every day until then."""

    node: str
    name: str
    days: int
    every: bool = False


@dataclass(frozen=True)
class Node:
    """One step of the evaluation. `inputs` are keys of the nodes whose values of the same day it reads.

    Each segment is a step; `segments` is the choice of the primary one.
    """

    kind: NodeKind
    name: str
    inputs: tuple[str, ...] = ()
    history: tuple[History, ...] = ()

    @property
    def key(self) -> str:
        """`metric:NAME`, `score:NAME`, `segment:NAME`, `signal:NAME`, or `segments`."""
        return SEGMENTS if self.kind == "segments" else f"{self.kind}:{self.name}"


def derived_names(model: Model) -> dict[str, str]:
    """Names that expressions may use besides metrics, with the node that gives each."""
    signals = {name: f"signal:{name}" for name in model.signals}
    scores = {f"{score}_{part}": f"score:{score}" for score in model.scores for part in SCORE_PARTS}
    return signals | scores | {"segment": SEGMENTS}


def node_of(model: Model, name: str) -> str | None:
    """The node that a name in an expression reads; None for settings and unknown names."""
    return f"metric:{name}" if name in model.metrics else derived_names(model).get(name)


def segment_key(model: Model, name: str) -> str | None:
    """The key of the segment definition that a shown name belongs to."""
    if name in model.segments:
        return name
    return next((k for k, s in model.segments.items() if s.by is not None and name.startswith(f"{k}: ")), None)


def segment_inputs(model: Model) -> Iterator[tuple[KeyPath, str, str]]:
    """What reads a segment of the same day: the place that says so, the reading node, and the segment's."""
    for use in segment_uses(model):
        found = segment_key(model, use.name)
        if found is not None and not use.moved:
            yield use.path, node_key(use.owner), f"segment:{found}"
    primary = primary_dimension(model.segments.values())
    for name, segment in model.segments.items():
        if segment.dimension == primary:
            yield ("segments", name), SEGMENTS, f"segment:{name}"
        if segment.catch_all:
            for other, one in model.segments.items():
                if one.dimension == segment.dimension and not one.catch_all:
                    yield ("segments", name, "catch_all"), f"segment:{name}", f"segment:{other}"


def primary_dimension(definitions: Iterable[Segment]) -> str:
    """The dimension whose first match is the primary segment."""
    dimensions = [definition.dimension for definition in definitions]
    return PRIMARY if PRIMARY in dimensions or not dimensions else dimensions[0]


def evaluation_order(model: Model) -> tuple[Node, ...]:
    """All nodes, each after its inputs, otherwise as written; raises ValueError for a circle."""
    waiting = {node.key: node for node in nodes(model)}
    done: dict[str, Node] = {}
    while waiting:
        ready = [n for n in waiting.values() if all(i in done or i not in waiting for i in n.inputs)]
        if not ready:
            raise ValueError(f"a circle among {', '.join(waiting)}")
        for node in ready:
            done[node.key] = waiting.pop(node.key)
    return tuple(done.values())


def nodes(model: Model) -> tuple[Node, ...]:
    """All nodes in the order they are written."""
    inputs: dict[str, dict[str, None]] = {}
    history: dict[str, set[History]] = {}
    for usage in usages(model):
        key = node_key(usage.owner)
        read = (node_of(model, name) for name in same_day_names(usage))
        inputs.setdefault(key, {}).update(dict.fromkeys(node for node in read if node))
        history.setdefault(key, set()).update(earlier_values(model, usage.expression))
    for _, key, segment in segment_inputs(model):
        inputs.setdefault(key, {}).setdefault(segment)
    for use in segment_uses(model):
        if use.moved:
            needs = moved_history(model, use.name, use.within_days)
            history.setdefault(node_key(use.owner), set()).add(needs)
    for key, needs in _carried(model):
        history.setdefault(key, set()).add(needs)
    return tuple(
        Node(kind, name, tuple(inputs.get(key, ())), tuple(sorted(history.get(key, ()))))
        for kind, name, key in _listed(model)
    )


def _listed(model: Model) -> Iterator[tuple[NodeKind, str, str]]:
    for section, kind in _KINDS.items():
        if kind == "signal" and model.segments:
            yield "segments", SEGMENTS, SEGMENTS
        for name in getattr(model, section):
            yield kind, name, f"{kind}:{name}"


def node_key(owner: KeyPath) -> str:
    """The node that a definition belongs to."""
    return f"{_KINDS[str(owner[0])]}:{owner[1]}"


def same_day_names(usage: Usage) -> tuple[str, ...]:
    """The names whose values of the same day an expression reads; columns of a table are none."""
    return () if usage.scope == "rows" else tree.names_in(_without_history(usage.expression))


def _without_history(expression: tree.Expression) -> tree.Expression:
    def change(part: tree.Expression) -> tree.Expression:
        return tree.Literal(None) if _is_before(part) else part

    return tree.transform(expression, change)


def _is_before(part: tree.Expression) -> bool:
    return isinstance(part, tree.Call) and part.function == "before"


def earlier_values(model: Model, expression: tree.Expression) -> Iterator[History]:
    """What `before(…, days)` reads from the past."""
    for part in tree.walk(expression):
        if isinstance(part, tree.Call) and part.function == "before":
            days = lag_days(part, model.settings)
            for name in tree.names_in(part.arguments[0]):
                node = node_of(model, name)
                if node and days is not None:
                    yield History(node, name, days)


def lag_days(call: tree.Call, settings: Settings | Values) -> int | None:
    """The whole days of `before(x, days)`; None when they are not a whole number of at least 1."""
    try:
        lag = substitute_settings(call.arguments[1], settings)
    except tree.ExpressionError:
        return None
    value = lag.value if isinstance(lag, tree.Literal) else None
    whole = isinstance(value, Decimal) and value == value.to_integral_value() and 1 <= value <= 3660
    return int(value) if whole and isinstance(value, Decimal) else None


def moved_history(model: Model, target: str, days: int) -> History:
    """The history that entering or leaving a segment or band needs."""
    key = segment_key(model, target)
    if key is not None:
        return History(f"segment:{key}", target, days, every=True)
    owner = next((n for n, s in model.scores.items() if target in {b.name for b in s.bands}), None)
    return History(f"score:{owner}" if owner else SEGMENTS, target, days, every=True)


def _carried(model: Model) -> Iterator[tuple[str, History]]:
    for name, score in model.scores.items():
        for component in score.components.values():
            for measure in component.measures.values():
                if isinstance(measure.missing, CarryForward) and measure.metric:
                    node = node_of(model, measure.metric)
                    if node:
                        days = measure.missing.carry_forward
                        yield f"score:{name}", History(node, measure.metric, days, every=True)


def longest_history(order: Iterable[Node]) -> int:
    """How many days of the past an evaluation reads at most."""
    return max((need.days for node in order for need in node.history), default=0)


def substitute_settings(expression: tree.Expression, settings: Settings | Values) -> tree.Expression:
    """Replace every `setting.NAME` by its value; a list is spliced into `in (…)`, and refused elsewhere."""
    values: Values = settings.values if isinstance(settings, Settings) else settings

    def change(part: tree.Expression) -> tree.Expression:
        if isinstance(part, tree.In):
            return tree.In(_single(part.item, values), tuple(o for p in part.options for o in _options(p, values)))
        return part

    return _replace_singles(tree.transform(expression, change), values)


def _replace_singles(expression: tree.Expression, values: Values) -> tree.Expression:
    return tree.transform(expression, lambda part: _single(part, values))


def _options(part: tree.Expression, values: Values) -> tuple[tree.Expression, ...]:
    if isinstance(part, tree.Name) and part.name.startswith(SETTING):
        value = _setting(part.name, values)
        return tuple(map(_literal, value)) if isinstance(value, tuple | list) else (_literal(value),)
    return (part,)


def _single(part: tree.Expression, values: Values) -> tree.Expression:
    if not (isinstance(part, tree.Name) and part.name.startswith(SETTING)):
        return part
    value = _setting(part.name, values)
    if isinstance(value, tuple | list):
        raise tree.ExpressionError(f"{part.name} is a list; a list can only be used in 'in ({part.name})'")
    return _literal(value)


def _setting(name: str, values: Values) -> Scalar | tuple[Scalar, ...]:
    short = name.removeprefix(SETTING)
    if short not in values:
        raise tree.ExpressionError(f"unknown setting '{short}'{did_you_mean(short, values)}")
    return values[short]


def _literal(value: Scalar) -> tree.Literal:
    return tree.Literal(value if isinstance(value, bool | str) else Decimal(str(value)))

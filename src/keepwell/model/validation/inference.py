"""What kind of value an expression has, found without data; None where that cannot be said."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from keepwell.model import expression_tree as tree
from keepwell.model.expression_text import expression_text, literal_text
from keepwell.model.expressions import parse_expression
from keepwell.model.graph import primary_dimension
from keepwell.model.metric_definitions import Aggregate, Metric, MetricType
from keepwell.model.problems import did_you_mean
from keepwell.model.validation.bands import NO_BAND
from keepwell.model.validation.context import Context

NUMBER, BOOLEAN, TEXT, DATE = MetricType.NUMBER, MetricType.BOOLEAN, MetricType.TEXT, MetricType.DATE
OF_ROWS = frozenset({Aggregate.MIN, Aggregate.MAX, Aggregate.LATEST, Aggregate.FIRST})
RESULTS = {
    **dict.fromkeys(
        ("days_since", "days_until", "days_between", "months_since", "hours_between", "length", "number"), NUMBER
    ),
    **dict.fromkeys(("is_known", "is_unknown", "contains", "starts_with", "ends_with"), BOOLEAN),
    **dict.fromkeys(("lower", "upper", "trim", "concat", "replace", "substr", "split_part", "text", "property"), TEXT),
    "as_of": DATE,
}
TAKES_TEXT = frozenset({"contains", "starts_with", "ends_with", "lower", "upper", "trim", "length"})
TAKES_NUMBER = frozenset({"abs", "floor", "ceil"})
TAKES_DATE = frozenset({"days_since", "days_until", "days_between", "months_since"})
SAME_AS_ARGUMENT = frozenset({"least", "greatest", "coalesce", "nullif", *TAKES_NUMBER})


@dataclass(frozen=True)
class Kind:
    """The type of a value and, for a text, what it may be (None: anything)."""

    type: MetricType | None = None
    values: frozenset[str] | None = None


@dataclass
class Kinds:
    """The kinds of all names of a model, each found when first asked for."""

    context: Context
    known: dict[str, Kind] = field(default_factory=dict)

    def of_name(self, name: str) -> Kind:
        """The kind of a metric, of what a score or the segments give, or of a setting."""
        if name not in self.known:
            self.known[name] = Kind()  # a circle, reported elsewhere, ends here
            self.known[name] = self._find(name)
        return self.known[name]

    def _find(self, name: str) -> Kind:
        model = self.context.model
        if name.startswith("setting."):
            return setting_kind(model.settings.values.get(name.removeprefix("setting.")))
        if name in model.metrics:
            return self._metric(model.metrics[name])
        if name == "segment":
            return self._primary_segment()
        score, _, part = name.rpartition("_")
        if score in model.scores:
            bands = frozenset(b.name for b in model.scores[score].bands) | {NO_BAND}
            return Kind(TEXT, bands) if part == "band" else Kind(NUMBER)
        return Kind(BOOLEAN if name in model.signals else None)

    def _primary_segment(self) -> Kind:
        """What `segment` may be: a name of the primary dimension; anything when values of a metric make names."""
        segments = self.context.model.segments
        chosen = primary_dimension(segments.values())
        names = {name for name, s in segments.items() if s.dimension == chosen}
        by = any(segments[name].by is not None for name in names)
        lost = set(self.context.names("segments")) - set(segments)
        return Kind(TEXT, None if by or ("segments",) in self.context.broken else frozenset(names | lost))

    def _metric(self, metric: Metric) -> Kind:
        if metric.values and metric.type in (None, TEXT):
            return Kind(TEXT, frozenset(metric.values))
        if metric.type is not None:
            return Kind(metric.type)
        if metric.expr is not None:
            return self.of(parse_expression(metric.expr))
        if metric.aggregate is None or metric.aggregate in OF_ROWS:
            return Kind()
        return Kind(BOOLEAN if metric.aggregate is Aggregate.EXISTS else NUMBER)

    def of(self, expression: tree.Expression) -> Kind:
        """The kind of an expression about a customer or a person."""
        match expression:
            case tree.Literal(value):
                return literal_kind(value)
            case tree.Name(name):
                return self.of_name(name)
            case tree.Arithmetic(operator, left, right):
                one_date = (self.of(left).type is DATE) != (self.of(right).type is DATE)
                return Kind(DATE if one_date and operator in "+-" else NUMBER)
            case tree.Case(branches, otherwise):
                return self._common([value for _, value in branches] + [otherwise])
            case tree.Call(function, arguments) if function in SAME_AS_ARGUMENT:
                return self._common(list(arguments[:1] if function == "nullif" else arguments))
            case tree.Call(function, arguments):
                return self.of(arguments[0]) if function == "before" else Kind(RESULTS.get(function))
        return Kind(BOOLEAN)

    def _common(self, parts: list[tree.Expression]) -> Kind:
        kinds = [self.of(part) for part in parts if part != tree.Literal(None)]
        types = {kind.type for kind in kinds}
        if len(types) != 1:
            return Kind()
        values = [kind.values for kind in kinds]
        known = None if None in values else frozenset(v for some in values for v in some or ())
        return Kind(types.pop(), known)


def literal_kind(value: object) -> Kind:
    """The kind of a value that is written down."""
    if value is None:
        return Kind()
    if isinstance(value, bool):
        return Kind(BOOLEAN)
    return Kind(TEXT, frozenset({value})) if isinstance(value, str) else Kind(NUMBER)


def setting_kind(value: object) -> Kind:
    """The kind of a setting; of a list's entries when they are all of one."""
    entries = value if isinstance(value, tuple) else (value,)
    kinds = [literal_kind(entry) for entry in entries]
    if len({kind.type for kind in kinds}) != 1:
        return Kind()
    return Kind(kinds[0].type, frozenset(v for kind in kinds for v in kind.values or ()) or None)


def clashes(kinds: Kinds, expression: tree.Expression) -> Iterator[tuple[tree.Expression, str]]:
    """Every part of an expression that cannot work with the kinds of its values, with the reason."""
    for part in tree.walk(expression):
        match part:
            case tree.Compare(operator, left, right):
                yield from _compared(kinds, left, right, ordered=operator not in ("=", "!="))
            case tree.In(item, options):
                for option in options:
                    yield from _compared(kinds, item, option, ordered=False)
            case tree.Between(item, low, high):
                yield from _compared(kinds, item, low, ordered=True)
                yield from _compared(kinds, item, high, ordered=True)
                if isinstance(low, tree.Literal) and isinstance(high, tree.Literal):
                    yield from _range(item, low, high)
            case tree.Like(item, _):
                yield from _takes(kinds, item, TEXT, "like")
            case tree.Not(item):
                yield from _takes(kinds, item, BOOLEAN, "not")
            case tree.Logic(operator, items):
                for item in items:
                    yield from _takes(kinds, item, BOOLEAN, operator)
            case tree.Case(branches, _):
                for condition, _ in branches:
                    yield from _takes(kinds, condition, BOOLEAN, "a case")
            case tree.Arithmetic(operator, left, right):
                for side in (left, right):
                    if kinds.of(side).type is TEXT:
                        yield side, f"{_shown(side)} is a text; '{operator}' takes numbers"
            case tree.Call(function, arguments):
                yield from _called(kinds, function, arguments)


def _called(
    kinds: Kinds, function: str, arguments: tuple[tree.Expression, ...]
) -> Iterator[tuple[tree.Expression, str]]:
    wanted = TEXT if function in TAKES_TEXT else NUMBER if function in TAKES_NUMBER else None
    if wanted is not None:
        yield from _takes(kinds, arguments[0], wanted, f"{function}()")
    if function in TAKES_DATE:
        for argument in arguments:
            yield from _takes(kinds, argument, DATE, f"{function}()")


def _takes(
    kinds: Kinds, part: tree.Expression, wanted: MetricType, taker: str
) -> Iterator[tuple[tree.Expression, str]]:
    found = kinds.of(part).type
    if found is not None and found is not wanted:
        needs = {BOOLEAN: "a condition (true or false)"}.get(wanted, f"a {wanted}")
        yield part, f"{_shown(part)} is a {found}; {taker} takes {needs}"


def _range(item: tree.Expression, low: tree.Literal, high: tree.Literal) -> Iterator[tuple[tree.Expression, str]]:
    same = type(low.value) is type(high.value) and low.value is not None and high.value is not None
    if same and low.value > high.value:  # type: ignore[operator]
        yield item, f"between {literal_text(low.value)} and {literal_text(high.value)} is never true: low comes first"


def _compared(
    kinds: Kinds, left: tree.Expression, right: tree.Expression, *, ordered: bool
) -> Iterator[tuple[tree.Expression, str]]:
    one, other = kinds.of(left), kinds.of(right)
    if one.type is None or other.type is None:
        return
    if one.type is not other.type:
        hint = "; use days_since(), days_until() or days_between()" if DATE in (one.type, other.type) else ""
        first = left if isinstance(left, tree.Name) else right
        message = f"{_shown(left)} is a {one.type} and {_shown(right)} a {other.type}: they cannot be compared{hint}"
        yield first, message
    elif one.type is BOOLEAN and ordered:
        yield left, f"{_shown(left)} is true or false and has no order"
    elif not ordered:
        yield from _spelling(left, one, right, other)
        yield from _spelling(right, other, left, one)


def _spelling(
    name: tree.Expression, named: Kind, text: tree.Expression, written: Kind
) -> Iterator[tuple[tree.Expression, str]]:
    """A written text must be one that the name can have."""
    constant = isinstance(text, tree.Literal) or (isinstance(text, tree.Name) and text.name.startswith("setting."))
    if isinstance(name, tree.Literal) or not constant or named.values is None or written.values is None:
        return
    for value in sorted(written.values - named.values):
        known = f"; it may be {', '.join(sorted(named.values))}" if len(named.values) <= 12 else ""
        hint = did_you_mean(value, named.values) or known
        yield text, f"{_shown(name)} is never {literal_text(value)}{hint}"


def _shown(part: tree.Expression) -> str:
    text = expression_text(part)
    return f"'{text}'" if len(text) <= 60 and not isinstance(part, tree.Literal) else text[:60]

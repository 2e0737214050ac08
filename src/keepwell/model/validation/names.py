"""Every name in an expression, condition or measure exists."""

from collections.abc import Iterable, Iterator

from keepwell.model import expression_tree as tree
from keepwell.model.columns import nameable
from keepwell.model.expression_text import literal_text
from keepwell.model.metric_definitions import Aggregate
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.usages import Usage
from keepwell.model.validation.context import Context, is_setting

COUNTED_WORDS = frozenset({"people", "features", "days"})


def check(context: Context) -> Iterable[Problem]:
    """Names that are not there, with the nearest that is, or the hint to quote a text."""
    for usage in context.all_usages:
        known = context.known_names(usage)
        if known is None:
            continue
        unquoted = set(_like_texts(usage.expression, known))
        for name in tree.names_in(usage.expression):
            if not (name in known or is_setting(name) or _counted(context, usage, name)):
                yield context.error_at(usage, name, _message(context, usage, name, known, name in unquoted))


def _counted(context: Context, usage: Usage, name: str) -> bool:
    metric = context.model.metrics.get(str(usage.owner[1]))
    return (
        name in COUNTED_WORDS
        and usage.path[-1] == "of"
        and metric is not None
        and metric.aggregate is Aggregate.COUNT_DISTINCT
    )


def _like_texts(expression: tree.Expression, known: frozenset[str]) -> Iterator[str]:
    """Unknown names that are compared with a known one: most likely texts whose quotes were forgotten."""
    for part in tree.walk(expression):
        match part:
            case tree.Compare(_, tree.Name(left), tree.Name(right)) if left in known and right not in known:
                yield right
            case tree.In(tree.Name(item), options) if item in known:
                yield from (o.name for o in options if isinstance(o, tree.Name) and o.name not in known)


def _message(context: Context, usage: Usage, name: str, known: frozenset[str], unquoted: bool) -> str:
    if unquoted:
        return f"unknown name '{name}'; a text needs quotes: {literal_text(name)}"
    if usage.scope == "rows":
        return f"table {usage.table} has no column '{name}'{did_you_mean(name, known)}"
    if usage.scope == "customer" and name in context.person_metrics:
        return f"'{name}' is a metric of persons; count or sum it with table: people_metrics"
    if usage.scope == "person" and name in context.customer_names:
        return f"'{name}' is not a metric of persons"
    hint = did_you_mean(name, known | nameable(context.tables).keys() if usage.scope == "customer" else known)
    if usage.scope == "customer" and name.split(".")[0] == "traits":
        short = name.split(".")[-1]
        hint = f"; what has no column needs a metric '{short}: {{attribute: {name}}}'"
    if name.removesuffix("_score") in context.model.scores or name in context.model.scores:
        hint = f"; a score is used as {name}_score, {name}_band or {name}_coverage"
    what = "metric or column" if usage.path[-1] in ("metric", "by", "attribute") else "name"
    return f"unknown {what} '{name}'{hint}"

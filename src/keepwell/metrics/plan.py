"""From metric definitions to a plan: which tables are read once, and what is kept of them per day.

Metrics over fact tables (events, sessions) share *atoms*, one aggregate per entity and day each, and *presences*,
which say on what days something distinct was seen. Metrics over the small tables share one statement per table.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from keepwell.model.base import Scalar
from keepwell.model.definitions import Model
from keepwell.model.expressions import Call, Expression, Logic, Name, names_in, parse_expression
from keepwell.model.graph import substitute_settings
from keepwell.model.metric_definitions import PEOPLE_METRICS, Aggregate, Metric
from keepwell.warehouse.tables import TABLES, Kind, Table

Entity = Literal["customer", "person"]
SettingValues = Mapping[str, Scalar | tuple[Scalar, ...]]
AtomKind = Literal["count", "sum", "minimum", "maximum", "latest", "first"]

ENDLESS_REACH: Final = 1_000_000
STATE_FORM: Final = 2
"""Changes with what state tables look like, so that those of an earlier release are made anew."""
ALIASES: Final = {"people": "person", "features": "feature", "days": "day"}


@dataclass(frozen=True)
class Atom:
    """One aggregate of a day's rows: those where `where` holds, of the expression `of`."""

    kind: AtomKind
    where: Expression | None
    of: Expression | None = None


@dataclass(frozen=True)
class Presence:
    """Distinct values of `of`, with one flag for each row filter under which they are counted."""

    of: Expression
    wheres: tuple[Expression | None, ...]


@dataclass(frozen=True)
class FactMetric:
    """A metric over a fact table and the atoms or the presence it is made of."""

    name: str
    metric: Metric
    atoms: tuple[Atom, ...] = ()
    presence: Expression | None = None
    flag: Expression | None = None

    @property
    def reach(self) -> int | None:
        """How many days back from the as-of day it looks; None: to the beginning."""
        window = self.metric.window
        if window is None:
            return None
        double = 2 if self.metric.aggregate is Aggregate.CHANGE else 1
        return window * double + self.metric.offset

    @property
    def near(self) -> int:
        """How many days back single days matter; before them whole months will do."""
        return self.reach or self.metric.offset + 1


@dataclass(frozen=True)
class FactPlan:
    """What is kept of one fact table for one kind of entity."""

    table: Table
    entity: Entity
    metrics: tuple[FactMetric, ...]
    atoms: tuple[Atom, ...]
    atom_reach: Mapping[Atom, int]
    presences: tuple[Presence, ...]
    reach: int
    presence_reach: Mapping[Expression, int]
    forever: bool

    @cached_property
    def key(self) -> str:
        """Names the state of this plan: the same atoms and reaches, the same state, whatever the metrics are called.

        Reaches count, because older days keep only the atoms that reach them.
        """
        reaches = [self.atom_reach[atom] for atom in self.atoms]
        content = repr((STATE_FORM, self.table.name, self.entity, self.atoms, reaches, self.presences))
        return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class RowMetric:
    """A metric over a small table, with its expressions parsed."""

    name: str
    metric: Metric
    where: Expression | None
    of: Expression | None
    per: Expression | None
    matching: Expression | None


@dataclass(frozen=True)
class RowPlan:
    """The metrics of one small table for one kind of entity: one statement."""

    table: Table
    entity: Entity
    metrics: tuple[RowMetric, ...]


@dataclass(frozen=True)
class Plan:
    """Everything to compute for a model, each table read once."""

    attributes: Mapping[str, str]
    facts: tuple[FactPlan, ...]
    rows: tuple[RowPlan, ...]
    people: Mapping[str, Metric]
    metrics: Mapping[str, Metric]


def plan_metrics(model: Model, *, only: Iterable[str] | None = None) -> Plan:
    """Plan the metrics of a model that come from tables (all, or `only` those named)."""
    wanted = set(model.metrics if only is None else only)
    metrics = {name: m for name, m in model.metrics.items() if name in wanted}
    people = {name: m for name, m in metrics.items() if m.table == PEOPLE_METRICS}
    needed = {name for m in people.values() for name in _person_metrics(m, model)}
    metrics |= {name: model.metrics[name] for name in needed}
    values = model.settings.values
    groups: dict[tuple[str, Entity], dict[str, Metric]] = {}
    for name, metric in metrics.items():
        if metric.table and metric.table != PEOPLE_METRICS:
            groups.setdefault((metric.table, metric.entity), {})[name] = metric
    facts = [_fact_plan(TABLES[t], e, found, values) for (t, e), found in sorted(groups.items()) if TABLES[t].facts]
    rows = [_row_plan(TABLES[t], e, found, values) for (t, e), found in sorted(groups.items()) if not TABLES[t].facts]
    attributes = {name: m.attribute for name, m in metrics.items() if m.attribute}
    return Plan(attributes, tuple(facts), tuple(rows), people, metrics)


def _person_metrics(metric: Metric, model: Model) -> set[str]:
    texts = [t for t in (metric.of, metric.where, metric.matching, metric.per) if t]
    found = {name for text in texts for name in names_in(parse_expression(text))}
    return {name for name in found if name in model.metrics and model.metrics[name].entity == "person"}


def row_expression(text: str | None, values: SettingValues) -> Expression | None:
    """Parse a row expression with settings put in; lists are spliced into `in`."""
    return None if text is None else substitute_settings(parse_expression(text), values)


def both(left: Expression | None, right: Expression | None) -> Expression | None:
    """`left and right`, where either may be absent."""
    if left is None or right is None:
        return left if right is None else right
    return Logic("and", (left, right))


def _fact_plan(table: Table, entity: Entity, metrics: Mapping[str, Metric], values: SettingValues) -> FactPlan:
    planned = tuple(_fact_metric(name, metric, values) for name, metric in sorted(metrics.items()))
    atoms = sorted({atom for metric in planned for atom in metric.atoms}, key=repr)
    flags: dict[Expression, set[Expression | None]] = {}
    reaches: dict[Expression, int] = {}
    for metric in planned:
        if metric.presence is not None:
            flags.setdefault(metric.presence, set()).add(metric.flag)
            reaches[metric.presence] = max(reaches.get(metric.presence, 1), metric.near)
    presences = tuple(Presence(of, tuple(sorted(wheres, key=repr))) for of, wheres in sorted(flags.items(), key=repr))
    # An atom that is read since the beginning is kept for every daily row there is.
    atom_reach = {a: max(m.reach or ENDLESS_REACH for m in planned if a in m.atoms) for a in atoms}
    reach = max((m.near for m in planned if m.atoms), default=1)
    forever = any(m.reach is None for m in planned)
    return FactPlan(table, entity, planned, tuple(atoms), atom_reach, presences, reach, reaches, forever)


def _fact_metric(name: str, metric: Metric, values: SettingValues) -> FactMetric:
    where = row_expression(metric.where, values)
    matching = row_expression(metric.matching, values)
    of, per = row_expression(metric.of, values), row_expression(metric.per, values)
    rows = Atom("count", where)
    match metric.aggregate:
        case Aggregate.COUNT_DISTINCT if metric.of != "days":
            return FactMetric(name, metric, presence=_aliased(of), flag=where)
        case Aggregate.COUNT | Aggregate.EXISTS | Aggregate.DAYS_SINCE | Aggregate.COUNT_DISTINCT:
            return FactMetric(name, metric, (rows,))
        case Aggregate.SHARE:
            return FactMetric(name, metric, (rows, Atom("count", both(where, matching))))
        case Aggregate.SUM:
            return FactMetric(name, metric, (Atom("sum", where, of),))
        case Aggregate.MEAN:
            return FactMetric(name, metric, (Atom("sum", where, of), Atom("count", both(where, _known(of)))))
        case Aggregate.RATIO:
            return FactMetric(name, metric, (Atom("sum", where, of), Atom("sum", where, per)))
        case Aggregate.CHANGE | Aggregate.SLOPE:
            return FactMetric(name, metric, (rows if of is None else Atom("sum", where, of),))
        case Aggregate.MIN:
            return FactMetric(name, metric, (Atom("minimum", where, of),))
        case Aggregate.MAX:
            return FactMetric(name, metric, (Atom("maximum", where, of),))
        case Aggregate.LATEST | Aggregate.FIRST:
            kind: AtomKind = "latest" if metric.aggregate is Aggregate.LATEST else "first"
            return FactMetric(name, metric, (Atom(kind, where, of),))
    raise ValueError(f"metric {name}: {metric.aggregate} is not made from a table")


def _aliased(of: Expression | None) -> Expression:
    if isinstance(of, Name):
        return Name(ALIASES.get(of.name, of.name))
    if of is None:
        raise ValueError("count_distinct needs 'of'")
    return of


def _known(of: Expression | None) -> Expression | None:
    return None if of is None else Call("is_known", (of,))


def _row_plan(table: Table, entity: Entity, metrics: Mapping[str, Metric], values: SettingValues) -> RowPlan:
    planned = []
    for name, m in sorted(metrics.items()):
        parts = [row_expression(text, values) for text in (m.where, m.of, m.per, m.matching)]
        planned.append(RowMetric(name, m, *parts))
    return RowPlan(table, entity, tuple(planned))


def is_number(table: Table, of: Expression | None) -> bool:
    """Whether an expression over a table's rows gives numbers (and not texts, dates or times)."""
    if not isinstance(of, Name):
        return True
    column = table.column(of.name)
    return column is not None and column.kind in (Kind.NUMBER, Kind.INTEGER, Kind.MONEY, Kind.BOOLEAN)

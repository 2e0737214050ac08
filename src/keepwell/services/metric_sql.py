"""The SQL that computes a model's metrics, as it is planned: one statement per table and what it is for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import sqlglot

from keepwell.metrics.fact_sql import DayFile, FactSql
from keepwell.metrics.fact_values import date_statements, endless_readings
from keepwell.metrics.frame import day_number
from keepwell.metrics.plan import FactPlan, RowPlan, plan_metrics
from keepwell.metrics.row_values import DATES, RowSql
from keepwell.metrics.state import FactState
from keepwell.model.expression_text import expression_text
from keepwell.model.expressions import DUCKDB
from keepwell.services.workspace import Workspace
from keepwell.warehouse.storage import Warehouse

_NONE: Final = Path("facts/none.parquet")


@dataclass(frozen=True)
class PlannedStatement:
    """One statement: the table it reads, the metrics it computes, what it does, and its SQL, pretty-printed."""

    table: str
    metrics: tuple[str, ...]
    purpose: str
    sql: str


def planned_statements(
    workspace: Workspace, *, as_of: date, on_wait: Callable[[str], None] | None = None
) -> list[PlannedStatement]:
    """Every statement that computing the metrics of a date needs; nothing is computed."""
    plan = plan_metrics(workspace.model().model)
    with workspace.warehouse("show metrics --sql", on_wait) as warehouse:
        day = day_number(as_of)
        facts = [s for facts in plan.facts for s in _facts(warehouse, facts, day)]
        return [*facts, *(_rows(warehouse, rows, day) for rows in plan.rows)]


def _facts(warehouse: Warehouse, plan: FactPlan, day: int) -> Iterator[PlannedStatement]:
    state = FactState.of(warehouse, plan, endless_readings(plan))
    sql = FactSql(plan, state.symbols)
    last = max((d for d in state.live if d <= day), default=None)
    path = _NONE if last is None else state.live[last].path.relative_to(warehouse.root)
    files = [DayFile(day if last is None else last, path)]
    table, counted = plan.table.name, [m for m in plan.metrics if m.presence is None]
    if plan.atoms:
        names = tuple(m.name for m in counted)
        yield _statement(
            table, names, "rolls one day up to a row per entity; run for days that changed", sql.atoms(files)
        )
    for presence in plan.presences:
        names = tuple(m.name for m in plan.metrics if m.presence == presence.of)
        purpose = f"lists the distinct {expression_text(presence.of)} of one day; run for days that changed"
        yield _statement(table, names, purpose, sql.presence(presence, files))
    # What is shown is the statement that runs, not one like it.
    for names, statement in date_statements(state, day):
        yield _statement(table, names, "reads all windows of the date from the daily state", statement)


def _rows(warehouse: Warehouse, plan: RowPlan, day: int) -> PlannedStatement:
    names = tuple(metric.name for metric in plan.metrics)
    sql = RowSql.of(warehouse, plan, [day])
    known = "that day" if sql.as_of.alone else f"the dates in {DATES}"
    return _statement(plan.table.name, names, f"reads every row as it was known on {known}", sql.statement())


def _statement(table: str, metrics: Iterable[str], purpose: str, sql: str) -> PlannedStatement:
    pretty = sqlglot.transpile(sql, read=DUCKDB, write=DUCKDB, pretty=True)[0]
    return PlannedStatement(table, tuple(metrics), purpose, pretty)

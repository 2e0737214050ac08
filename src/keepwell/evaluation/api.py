"""Scores for rows of metric values that somebody has at hand: no workspace, no tables, no history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import CompiledModel
from keepwell.evaluation.given import ValueProblem, read_column
from keepwell.evaluation.model_run import compile_model, evaluate_model
from keepwell.evaluation.results import ScoreResult, score_results
from keepwell.metrics.frame import Column, Frame, day_number
from keepwell.model.loader import LoadedModel
from keepwell.model.problems import did_you_mean

__all__ = ["CUSTOMER", "ScoreResult", "Scored", "score_rows", "score_table"]

CUSTOMER: Final = "customer_id"


@dataclass(frozen=True)
class Scored:
    """Results in the order of the rows, the values that were not understood, and the columns nobody reads."""

    results: tuple[ScoreResult, ...]
    problems: tuple[ValueProblem, ...]
    warnings: tuple[str, ...]


def score_rows(loaded: LoadedModel, rows: Sequence[Mapping[str, object]], as_of: date) -> list[ScoreResult]:
    """Score rows of metric values, in their order.

    Parameters
    ----------
    loaded
        The model.
    rows
        One mapping per customer with `customer_id` and metrics by name. Values may be Python values or texts;
        None and empty texts are unknown. What cannot be read is unknown, too: `score_table` says what that was.
    as_of
        The day the values are of.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    table = {name: [row.get(name) for row in rows] for name in names}
    return list(score_table(loaded, table, as_of).results)


def score_table(loaded: LoadedModel, table: Mapping[str, Sequence[object]], as_of: date) -> Scored:
    """Score a table of columns, one of them `customer_id`; raises ValueError when customers cannot be told."""
    compiled = compile_model(loaded)
    if CUSTOMER not in table and table:
        raise ValueError(f"there is no column '{CUSTOMER}'{did_you_mean(CUSTOMER, table)}")
    customers = [_customer(value, row) for row, value in enumerate(table.get(CUSTOMER) or ())]
    columns, problems = _columns(compiled, table, customers)
    frame = Frame(np.array(customers, dtype=object), np.full(len(customers), day_number(as_of)), columns)
    results = score_results(evaluate_model(compiled, frame), frozenset(columns)) if customers else ()
    return Scored(results, tuple(problems), unknown_columns(compiled, table))


def unknown_columns(compiled: CompiledModel, names: Mapping[str, object]) -> tuple[str, ...]:
    """A sentence for every column that is no metric of the model."""
    known = compiled.metrics()
    strange = (name for name in names if name != CUSTOMER and name not in known)
    return tuple(f"column '{name}' is no metric of this model{did_you_mean(name, known)}" for name in strange)


def _customer(value: object, row: int) -> str:
    text = "" if value is None else str(value).strip()
    if not text:
        raise ValueError(f"row {row + 1} has no {CUSTOMER}")
    return text


def _columns(
    compiled: CompiledModel, table: Mapping[str, Sequence[object]], customers: list[str]
) -> tuple[dict[str, Column], list[ValueProblem]]:
    columns: dict[str, Column] = {}
    problems: list[ValueProblem] = []
    for name, metric in compiled.metrics().items():
        if name in table:
            columns[name], unreadable = read_column(table[name], compiled.types[name], metric.values)
            problems += [ValueProblem(u.row + 1, customers[u.row], name, u.value, u.allowed) for u in unreadable]
    return columns, sorted(problems, key=lambda problem: problem.row)

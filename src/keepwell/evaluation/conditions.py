"""The truth of a condition on every row, with three-valued logic."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keepwell.evaluation.history import HistoryRows
from keepwell.metrics.evaluate import Context, all_of, any_of, evaluate, negate
from keepwell.metrics.frame import Column
from keepwell.model.conditions import ConditionTree, Group, InSegmentLeaf, Leaf, MovedLeaf
from keepwell.model.expressions import ExpressionError
from keepwell.model.metric_definitions import MetricType


@dataclass(frozen=True)
class Judge:
    """What conditions are judged on: columns, memberships by segment or band name, and earlier days.

    `signals` are the names among the columns that say whether a signal is on.
    """

    context: Context
    member: Callable[[str], Column]
    history: HistoryRows
    signals: frozenset[str] = frozenset()

    def truth(self, condition: ConditionTree) -> Column:
        """True, false or unknown for every row."""
        match condition:
            case Group("not", items):
                return negate(self.truth(items[0]))
            case Group(kind, items):
                parts = [self.truth(item) for item in items]
                return all_of(parts) if kind == "all" else any_of(parts)
            case Leaf(expression, text):
                return _as_truth(evaluate(expression, self.context), text)
            case InSegmentLeaf(segment):
                return self.member(segment)
            case MovedLeaf(direction, target, days):
                return self.history.moved(self.member(target), direction, days)


def _as_truth(column: Column, text: str) -> Column:
    if column.type is MetricType.BOOLEAN:
        return column
    if column.type is MetricType.TEXT and column.known.any():
        raise ExpressionError(f"'{text}' is a text, not a condition")
    return Column(MetricType.BOOLEAN, np.where(column.known, column.values != 0.0, np.nan), column.quality)

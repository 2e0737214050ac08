"""What a scorecard reads: columns by name, the truth of conditions, values carried from earlier days."""

from collections.abc import Callable
from dataclasses import dataclass

from keepwell.metrics.evaluate import Lookup
from keepwell.metrics.frame import Column
from keepwell.model.condition_definitions import Condition

Truth = Callable[[Condition], Column]
Carry = Callable[[Column, int], Column]


@dataclass(frozen=True)
class Inputs:
    """`carry(column, days)` fills unknown values with the nearest known one of at most so many days before."""

    rows: int
    column: Lookup
    truth: Truth
    carry: Carry

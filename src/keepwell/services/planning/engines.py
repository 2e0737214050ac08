"""Two models computed on one warehouse: tables are read once where both models read the same from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.model_run import Evaluation
from keepwell.metrics.attributes import Population
from keepwell.metrics.compute import Engine, MetricValues
from keepwell.model.definitions import Model
from keepwell.model.loader import LoadedModel
from keepwell.services.runs import ROWS_AT_ONCE, VALUES_AT_ONCE, evaluate_days
from keepwell.services.workspace import WorkspaceError
from keepwell.warehouse.storage import Warehouse

_SHOWN_ONLY: Final = {"label", "description", "unit"}


@dataclass(frozen=True)
class Days:
    """One model on some days: the evaluation, and who each row is."""

    evaluation: Evaluation
    population: Population


class Engines:
    """Evaluates two models on the same days."""

    def __init__(self, warehouse: Warehouse, before: LoadedModel, after: LoadedModel) -> None:
        self.compiled = (compile_model(before), compile_model(after))
        self.before = Engine(warehouse, before.model)
        if not len(self.before.attributes.customers):
            raise WorkspaceError("there are no customers yet; load some with 'keepwell load PATH'")
        self.shared = reads_the_same(before.model, after.model)
        self.after = self.before if self.shared else Engine(warehouse, after.model)

    def blocks(self, days: Sequence[int]) -> Iterator[tuple[Days, Days]]:
        """Both models on all of the days, as many at once as memory allows."""
        customers = max(1, len(self.before.attributes.firsts))
        metrics = max(1, len(self.before.plan.metrics), len(self.after.plan.metrics))
        for part in _parts(days, VALUES_AT_ONCE // (customers * metrics * (1 if self.shared else 2))):
            values = self._values(part)
            for block in _parts(part, ROWS_AT_ONCE // customers):
                yield self._evaluated(0, block, values[0]), self._evaluated(1, block, values[1])

    def day(self, day: int) -> tuple[Evaluation, Evaluation]:
        """Both models on one day."""
        ((before, after),) = self.blocks([day])
        return before.evaluation, after.evaluation

    def forget(self) -> None:
        """Drop the daily state that only the proposed model uses."""
        if not self.shared:
            self.before.forget_other_state()

    def _values(self, days: Sequence[int]) -> tuple[MetricValues, MetricValues]:
        needed = [{day - lag for day in days for lag in compiled.lags} for compiled in self.compiled]
        if self.shared:
            values = self.before.values(sorted(needed[0] | needed[1]))
            return values, values
        return self.before.values(sorted(needed[0])), self.after.values(sorted(needed[1]))

    def _evaluated(self, side: int, days: Sequence[int], values: MetricValues) -> Days:
        engine = (self.before, self.after)[side]
        computed, evaluation = evaluate_days(engine, self.compiled[side], days, values)
        return Days(evaluation, computed.population)


def reads_the_same(before: Model, after: Model) -> bool:
    """Whether two models ask the same of the tables, whatever they make of it."""
    return bool(_asked(before) == _asked(after))


def _asked(model: Model) -> Any:
    metrics = {
        name: metric.model_dump(exclude=_SHOWN_ONLY)
        for name, metric in model.metrics.items()
        if metric.table or metric.attribute or metric.entity == "person"
    }
    return metrics, model.settings.model_dump(exclude={"minimum_coverage"})


def _parts(days: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(days), max(1, size)):
        yield days[start : start + max(1, size)]

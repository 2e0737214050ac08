"""Which metrics a model would have liked to have: at the level at which values were given."""

from collections.abc import Iterator

from keepwell.evaluation.compiled import CompiledModel
from keepwell.model.expressions import names_in
from keepwell.model.usages import usages


def inputs_asked_for(compiled: CompiledModel, supplied: frozenset[str]) -> tuple[str, ...]:
    """The metrics whose values the model needs as input, in the model's order.

    A supplied metric is asked for itself, and what its formula reads is not. A formula's inputs are asked for when
    any of them is supplied or read elsewhere; otherwise whoever gives values evidently speaks of the formula's
    result (`days_to_renewal`, not the renewal date), and that is asked for.
    """
    asked = _Asked(compiled, supplied).names()
    return tuple(name for name in compiled.metrics() if name in asked)


def metrics_read(compiled: CompiledModel) -> tuple[str, ...]:
    """The metrics that scores, segments and signals name themselves, in the model's order."""
    direct = frozenset(_direct(compiled))
    return tuple(name for name in compiled.metrics() if name in direct)


class _Asked:
    def __init__(self, compiled: CompiledModel, supplied: frozenset[str]) -> None:
        self.compiled, self.supplied = compiled, supplied
        self.metrics = compiled.metrics()
        self.direct = frozenset(_direct(compiled))

    def names(self) -> frozenset[str]:
        found: set[str] = set()
        for name in self.direct:
            self._visit(name, found, frozenset())
        return frozenset(found)

    def _visit(self, name: str, found: set[str], above: frozenset[str]) -> None:
        if name in above:
            return
        inputs = self._inputs(name)
        if name in self.supplied or not inputs or not self._reaches_known_names(name):
            found.add(name)
            return
        for part in inputs:
            self._visit(part, found, above | {name})

    def _inputs(self, name: str) -> tuple[str, ...]:
        metric = self.metrics[name]
        if metric.expr is None:
            return ()
        return tuple(n for n in names_in(self.compiled.formulas[metric.expr]) if n in self.metrics)

    def _reaches_known_names(self, name: str) -> bool:
        return any(base in self.supplied or base in self.direct for base in self._closure(name, set()))

    def _closure(self, name: str, seen: set[str]) -> Iterator[str]:
        for part in self._inputs(name):
            if part not in seen:
                seen.add(part)
                yield part
                yield from self._closure(part, seen)


def _direct(compiled: CompiledModel) -> Iterator[str]:
    """The metrics that decide scores, segments and signals by name; money and targets only dress the result."""
    for usage in usages(compiled.model):
        if usage.owner[0] != "metrics" and usage.path[2:] not in (("value",), ("target",)):
            yield from (name for name in names_in(usage.expression) if name in compiled.metrics())

"""Signals: detected conditions with the money they are about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from keepwell.metrics.frame import Bools, Column
from keepwell.model.definitions import Signal


@dataclass(frozen=True)
class SignalColumns:
    """One signal on every row: three-valued `truth`, and the money at stake or to gain where it can be said."""

    name: str
    definition: Signal
    truth: Column
    value: Column | None = None

    @property
    def matches(self) -> Bools:
        found: Bools = self.truth.known & (self.truth.values != 0.0)
        return found

    def take(self, rows: npt.NDArray[Any] | slice) -> "SignalColumns":
        """The signal at the given rows."""
        return replace(self, truth=self.truth.take(rows), value=None if self.value is None else self.value.take(rows))


def evaluate_signals(
    definitions: Mapping[str, Signal], truth: Callable[[str], Column], value: Callable[[str], Column]
) -> tuple[SignalColumns, ...]:
    """Every signal, in the model's order: `truth` by the signal's name, `value` by its expression."""
    return tuple(
        SignalColumns(name, definition, truth(name), None if definition.value is None else value(definition.value))
        for name, definition in definitions.items()
    )

"""What a rule sees: the model, the files it came from, and the tables that exist."""

from collections.abc import Mapping
from dataclasses import dataclass

from keepwell.model.definitions import Model
from keepwell.model.problems import Problem, Severity
from keepwell.model.source import Source
from keepwell.model.yaml_source import KeyPath

Tables = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Context:
    """A model to check. `broken` are definitions that could not be read: they are left out of `model`."""

    model: Model
    source: Source
    tables: Tables | None = None
    broken: frozenset[KeyPath] = frozenset()

    def error(self, path: KeyPath, message: str, *, key: bool = False, shift: int | None = None) -> Problem:
        """A problem that stops the model."""
        return self.source.problem(path, message, key=key, shift=shift)

    def warning(self, path: KeyPath, message: str, *, key: bool = False, shift: int | None = None) -> Problem:
        """A problem that is only shown."""
        return self.source.problem(path, message, key=key, severity=Severity.WARNING, shift=shift)

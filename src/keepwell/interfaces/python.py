"""The Python door: load a pack or a model directory, score rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from os import PathLike

from keepwell.evaluation.api import ScoreResult, score_rows
from keepwell.model.loader import LoadedModel
from keepwell.model.packs import resolve_model
from keepwell.model.validation.context import Tables
from keepwell.warehouse.tables import TABLES

CANONICAL: Tables = {name: frozenset(table.column_names) for name, table in TABLES.items()}


@dataclass(frozen=True)
class Pack:
    """A loaded model, ready to score."""

    loaded: LoadedModel

    def score(self, rows: Sequence[Mapping[str, object]], as_of: date | None = None) -> list[ScoreResult]:
        """Score rows of metric values, one result per row in the same order.

        Parameters
        ----------
        rows
            Mappings with `customer_id` and the model's metrics by name; None and empty texts are unknown.
        as_of
            The day the values are of; today (UTC) when left out. Give it where results must be repeatable.

        Raises
        ------
        ValueError
            When a row has no `customer_id`.
        """
        return score_rows(self.loaded, rows, as_of or today())


def load_pack(name_or_dir: str | PathLike[str]) -> Pack:
    """Load a shipped pack by name, or the model in a directory; raises DefinitionError with every problem."""
    return Pack(resolve_model(name_or_dir, tables=CANONICAL))


def today() -> date:
    """The current day in UTC; the only clock of the doors."""
    return datetime.now(UTC).date()

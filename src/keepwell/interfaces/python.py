"""The Python door: score rows with a pack or model, or open a workspace and run it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from os import PathLike
from pathlib import Path
from typing import overload
from zoneinfo import ZoneInfo

from keepwell.evaluation.api import ScoreResult, score_rows
from keepwell.model.loader import LoadedModel
from keepwell.model.packs import resolve_model
from keepwell.services.runs import RunReport, backfill_days, run_day
from keepwell.services.workspace import Workspace, workspace_open
from keepwell.warehouse.columns import TABLE_COLUMNS


@dataclass(frozen=True)
class Pack:
    """A loaded model, ready to score."""

    loaded: LoadedModel

    def score(self, rows: Sequence[Mapping[str, object]], as_of: date | str | None = None) -> list[ScoreResult]:
        """Score rows of metric values, one result per row in the same order.

        Parameters
        ----------
        rows
            Mappings with `customer_id` and the model's metrics by name; None and empty texts are unknown.
        as_of
            The day the values are of, a date or `2026-01-31`; today (UTC) when left out. Give it where results must be
            repeatable.

        Raises
        ------
        ValueError
            When a row has no `customer_id`, or `as_of` is no date.
        """
        return score_rows(self.loaded, rows, _day(as_of) or today())


def load_pack(name_or_dir: str | PathLike[str]) -> Pack:
    """Load a shipped pack by name, or the model in a directory; raises DefinitionError with every problem."""
    return Pack(resolve_model(name_or_dir, tables=TABLE_COLUMNS))


@overload
def _day(given: date | str) -> date: ...
@overload
def _day(given: date | str | None) -> date | None: ...
def _day(given: date | str | None) -> date | None:
    return date.fromisoformat(given) if isinstance(given, str) else given


def today() -> date:
    """The current day in UTC; the only clock of the doors."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class OpenedWorkspace:
    """A workspace folder, ready to run."""

    workspace: Workspace

    def run(self, as_of: date | str | None = None) -> RunReport:
        """Compute one day and publish its snapshot; today in the workspace's zone when `as_of` is left out.

        Raises
        ------
        WorkspaceError, DefinitionError, WarehouseBusy
            When there are no customers, the model has mistakes, or another process holds the data for too long.
        """
        return run_day(self.workspace, as_of=_day(as_of) or datetime.now(ZoneInfo(self.workspace.zone)).date())

    def backfill(self, first: date | str, last: date | str) -> list[RunReport]:
        """Compute and publish every day of a range, both ends included."""
        return backfill_days(self.workspace, first=_day(first), last=_day(last))


def open_workspace(directory: str | PathLike[str]) -> OpenedWorkspace:
    """Open the workspace in a folder; raises WorkspaceError with what to do when there is none."""
    return OpenedWorkspace(workspace_open(Path(directory)))

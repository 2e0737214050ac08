"""Reads what was published: rows of a date, and the model they were made with. Never waits for a writer."""

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from keepwell.model.loader import LoadedModel
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.scratch import scratch
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.sql import quoted

Row = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """One published date of a workspace."""

    workspace: Workspace
    as_of: date

    @cached_property
    def about(self) -> dict[str, str]:
        """What was written beside the rows."""
        return self.workspace.snapshots.about(self.as_of)

    @cached_property
    def model(self) -> LoadedModel:
        """The model that the rows were made with, as it was then."""
        return self.workspace.kept_model(self.about["keepwell.model_hash"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the run had to say about the data."""
        return tuple(json.loads(self.about.get("keepwell.warnings", "[]")))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the snapshot, in order."""
        with scratch() as connection:
            found = connection.execute(f"DESCRIBE SELECT * FROM {self._relation()}").fetchall()  # noqa: S608
        return tuple(str(name) for name, *_ in found)

    def rows(self, columns: Sequence[str] | None = None, *, customer: str | None = None) -> list[Row]:
        """Rows sorted by customer; `columns` are the wanted ones, all if left out."""
        names = self.columns if columns is None else tuple(c for c in columns if c in self.columns)
        selected = ", ".join(map(quoted, names))
        only = "" if customer is None else " WHERE customer_id = ?"
        with scratch() as connection:
            found = connection.execute(
                f"SELECT {selected} FROM {self._relation()}{only} ORDER BY customer_id",  # noqa: S608 - quoted names
                [] if customer is None else [customer],
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in found]

    def _relation(self) -> str:
        snapshots = self.workspace.snapshots
        return snapshots.scan([snapshots.path(self.as_of)])


def read_published(workspace: Workspace, as_of: date | None = None) -> Published:
    """The published date asked for, the latest if none is; raises WorkspaceError naming the nearest dates."""
    return Published(workspace, published_date(workspace.snapshots, as_of))


def published_date(snapshots: Snapshots, as_of: date | None) -> date:
    """The date itself when it is published, or the latest one when none is asked for."""
    dates = snapshots.dates()
    if not dates:
        raise WorkspaceError("nothing is published yet; 'keepwell run' computes a day and publishes it")
    if as_of is None:
        return snapshots.latest() or dates[-1]
    if as_of in dates:
        return as_of
    place = bisect_left(dates, as_of)
    near = " and ".join(day.isoformat() for day in dates[max(0, place - 1) : place + 1])
    raise WorkspaceError(
        f"{as_of} is not published; the nearest published dates: {near}."
        f" 'keepwell run --as-of {as_of}' computes and publishes it"
    )

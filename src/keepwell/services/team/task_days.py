"""A published day as tasks read it: every customer with what its card shows, and its situation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.model_run import evaluate_model
from keepwell.model.definitions import Model
from keepwell.reporting.frames import rows_of_day, snapshot_frame
from keepwell.reporting.reading import CHURNED, Day, Values, read_day
from keepwell.services.published.copies import Copies, copies_needed
from keepwell.services.published.kept_models import model_of
from keepwell.services.published.reader import read_copies, row_of
from keepwell.services.reading import read_published
from keepwell.services.team.reasons import Situation, Situations
from keepwell.services.workspace import Workspace

_COLUMNS = ("name", "owner_email", "status", "mrr", "renewal_date", "m.renewal_date")


@dataclass(frozen=True)
class TaskCustomer:
    """What a task keeps of its customer. `row` is its place among the situations; None for one who left."""

    customer_id: str
    company: str
    owner_email: str
    money: Decimal | None
    renewal_on: date | None
    row: int | None


@dataclass(frozen=True)
class TaskDay:
    """All customers of a published day."""

    as_of: date
    model: Model
    customers: Mapping[str, TaskCustomer]
    situations: Situations

    def situation(self, customer: TaskCustomer) -> Situation | None:
        """What the day says of a customer; None when it has left."""
        return None if customer.row is None else self.situations.of(customer.row)


def published_model(workspace: Workspace) -> Model:
    """The model of the published day, read once; raises NothingPublished before the first."""
    return model_of(workspace, copies_needed(workspace)).model


def situation_now(workspace: Workspace, customer_id: str) -> Situation | None:
    """What the published day says of one customer; None when it has left or is not there.

    Reads one row through the connection that pages keep open: an outcome is logged while somebody waits.
    """

    def read(copies: Copies) -> Situation | None:
        path = str(workspace.snapshots.path(copies.as_of))
        row = row_of("SELECT * FROM read_parquet(?) WHERE customer_id = ?", [path, customer_id])
        if row is None or row["status"] == CHURNED:
            return None
        compiled = model_of(workspace, copies)
        day = Day(copies.as_of, {}, {name: _array(value) for name, value in row.items()})
        frame = snapshot_frame(workspace.snapshots, compiled, day, [customer_id])
        evaluation = evaluate_model(compiled, frame, lean=False)
        return Situations(evaluation, workspace.currency).of(frame.rows - 1)

    return read_copies(workspace, read)


def _array(value: Any) -> Values:
    """One value as a column of a day."""
    if isinstance(value, date):
        return np.array([np.datetime64(value, "D")])
    if isinstance(value, bool | int | float | Decimal):
        return np.array([float(value)])
    found = np.empty(1, dtype=object)
    found[0] = value
    return found


def read_task_day(workspace: Workspace, as_of: date) -> TaskDay:
    """Read a published day; raises WorkspaceError when it is not published."""
    published = read_published(workspace, as_of)
    compiled, day = compile_model(published.model), read_day(workspace.snapshots, as_of)
    frame = snapshot_frame(workspace.snapshots, compiled, day, [str(name) for name in day.ids[day.here]])
    situations = Situations(evaluate_model(compiled, frame, lean=False), workspace.currency)
    customers = {found.customer_id: found for found in _customers(day, rows_of_day(frame, day))}
    return TaskDay(as_of, compiled.model, customers, situations)


def _customers(day: Day, rows: Mapping[str, int]) -> Iterator[TaskCustomer]:
    names, owners, states = day.text("name"), day.text("owner_email"), day.text("status")
    money, renewals = day.number("mrr"), day.dates("m.renewal_date" if "m.renewal_date" in day else "renewal_date")
    for place, customer_id in enumerate(map(str, day.ids)):
        amount = float(money[place])
        yield TaskCustomer(
            customer_id=customer_id,
            company=str(names[place] or customer_id)[:255],
            owner_email=str(owners[place] or "").strip().lower()[:255],
            money=None if amount != amount else Decimal(f"{amount:.2f}"),
            renewal_on=renewals[place],
            row=None if states[place] == CHURNED else rows.get(customer_id),
        )

"""Published days made by hand: customers of the agency model with the values that a test is about."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pytest

from keepwell.evaluation.compiled import CompiledModel, compile_model
from keepwell.evaluation.given import read_column
from keepwell.evaluation.model_run import evaluate_model
from keepwell.metrics.frame import Frame, day_number
from keepwell.model.packs import pack_directory, resolve_model
from keepwell.services.team import outcomes, tasks
from keepwell.services.team.reasons import Situations
from keepwell.services.team.task_days import TaskCustomer, TaskDay
from keepwell.services.workspace import Workspace
from keepwell.warehouse.columns import TABLE_COLUMNS
from tests.web import LAST

HEALTHY: Final[dict[str, Any]] = {
    "days_to_renewal": 200,
    "payment_status": "current",
    "tickets_30d": 0,
    "days_since_login": 1,
    "logins_30d": 10,
    "features_used_30d": 2,
    "account_age_days": 400,
    "plan": "enterprise",
    "mrr": 100,
}
AT_RISK: Final[dict[str, Any]] = {**HEALTHY, "days_to_renewal": 30, "tickets_30d": 4}
DROPPING: Final[dict[str, Any]] = {**HEALTHY, "days_since_login": 20, "logins_30d": 2}
MONITOR: Final[dict[str, Any]] = {**HEALTHY, "days_to_renewal": 50}


@dataclass(frozen=True)
class Agency:
    """A customer of a day; `left` is one who churned."""

    customer_id: str
    values: dict[str, Any] = field(default_factory=lambda: HEALTHY)
    owner: str = "anna@example.com"
    left: bool = False


@lru_cache
def agency_model() -> CompiledModel:
    """The agency model."""
    return compile_model(resolve_model(pack_directory("agency-signals"), tables=TABLE_COLUMNS))


def task_day(*customers: Agency, as_of: date = LAST) -> TaskDay:
    """A day on which these are all customers."""
    here = sorted((one for one in customers if not one.left), key=lambda one: one.customer_id)
    compiled = agency_model()
    frame = Frame(
        np.array([one.customer_id for one in here], dtype=object),
        np.full(len(here), day_number(as_of), np.int64),
        {name: read_column([one.values.get(name) for one in here], compiled.types[name])[0] for name in HEALTHY},
    )
    situations = Situations(evaluate_model(compiled, frame, lean=False), "EUR")
    rows = {one.customer_id: row for row, one in enumerate(here)}
    found = {one.customer_id: _customer(one, as_of, rows.get(one.customer_id)) for one in customers}
    return TaskDay(as_of, compiled.model, found, situations)


def _customer(one: Agency, as_of: date, row: int | None) -> TaskCustomer:
    days, money = one.values.get("days_to_renewal"), one.values.get("mrr")
    return TaskCustomer(
        customer_id=one.customer_id,
        company=one.customer_id.title(),
        owner_email=one.owner,
        money=None if money is None else Decimal(money),
        renewal_on=None if days is None else as_of + timedelta(days=days),
        row=row,
    )


class Days:
    """Publishes days made by hand: runs and outcomes of a test read them."""

    def __init__(self, workspace: Workspace, patch: pytest.MonkeyPatch) -> None:
        self.workspace, self.day = workspace, task_day()
        patch.setattr(tasks, "read_task_day", lambda _workspace, _as_of: self.day)
        patch.setattr(outcomes, "published_model", lambda _workspace: self.day.model)
        patch.setattr(outcomes, "situation_now", lambda _workspace, customer_id: self._now(customer_id))

    def publish(self, *customers: Agency, days: int = 0) -> TaskDay:
        """Make a day current, so many days after the last one."""
        self.day = task_day(*customers, as_of=LAST + timedelta(days=days))
        return self.day

    def _now(self, customer_id: str) -> Any:
        found = self.day.customers.get(customer_id)
        return None if found is None else self.day.situation(found)


@pytest.fixture
def days(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> Days:
    """Days made by hand, instead of the published ones."""
    return Days(published, monkeypatch)

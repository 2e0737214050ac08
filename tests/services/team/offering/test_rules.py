"""The rules for offers, what offers cost, and the points of the task that carries one out."""

from decimal import Decimal

import pytest

from keepwell.services.published import PortfolioRow
from keepwell.services.team.offering.policies import (
    DEFAULTS,
    NOBODY,
    Policy,
    PolicyError,
    policies_change,
    policies_now,
)
from keepwell.services.team.offering.worth import worth_of
from keepwell.services.team.offers import OfferRefused
from keepwell.services.team.task_changes import Seen, TaskRefused, mark_done
from keepwell.services.team.task_checklist import tick
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry
from tests.services.team.offering.test_offers import PAUSE, WORKER, accepted, make
from tests.web import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("kind", "terms", "worth"), [
    ("pause", {"months": 3}, "300.00"),
    ("free_months", {"months": 1}, "100.00"),
    ("discount", {"percent": 50, "months": 1}, "50.00"),
    ("discount", {"percent": 10}, "120.00"),
    ("trial", {"days": 30}, None),
    ("downgrade", {"grace_days": 60}, None),
])  # fmt: skip
def test_what_it_costs(kind: str, terms: dict[str, float], worth: str | None) -> None:
    assert worth_of(kind, terms, 100.0) == (None if worth is None else Decimal(worth))
    assert worth_of(kind, terms, None) is None


@pytest.mark.parametrize(("policy", "words"), [
    (Policy(largest={"months": 4}), "at most 3"),
    (Policy(largest={"months": float("nan")}), "above 0"),
    (Policy(largest={"months": 3}, asks="viewer"), "choose a role"),
    (Policy(largest={"months": 3}, approves="csm"), "approved by a manager"),
    (Policy(largest={"months": 3}, per_year=-1), "from 0 to 100"),
])  # fmt: skip
def test_rules_that_make_no_sense_are_refused(policy: Policy, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        policies_change(WORKER, {"pause": policy}, NOW)
    assert policies_now() == dict(DEFAULTS)


def test_rules_are_kept_and_written_down_once(published: Workspace, row: PortfolioRow) -> None:
    rule = Policy(asks=NOBODY, alone="admin", per_year=0, largest={"months": 2.0})
    for _ in range(2):
        policies_change(WORKER, {"pause": rule}, NOW)
    assert policies_now()["pause"] == rule
    assert AuditEntry.objects.filter(object_id="offer_policies").count() == 1
    with pytest.raises(OfferRefused, match="not offered here"):
        make(published, row, PAUSE)


def test_points_are_ticked_with_an_audit_row_each(published: Workspace, row: PortfolioRow) -> None:
    task = accepted(published, make(published, row)).task
    assert task is not None
    for _ in range(2):
        assert tick(WORKER, task.pk, 0, done=True, now=NOW).checklist[0]["done"]
    assert AuditEntry.objects.filter(action="task.ticked").count() == 1
    assert not tick(WORKER, task.pk, 0, done=False, now=NOW).checklist[0]["done"]
    with pytest.raises(TaskRefused, match="not there"):
        tick(WORKER, task.pk, 99, done=True, now=NOW)
    mark_done(WORKER, [Seen(task.pk, task.version)], now=NOW)
    with pytest.raises(TaskRefused, match="done already"):
        tick(WORKER, task.pk, 0, done=True, now=NOW)

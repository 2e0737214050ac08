"""A person's word on a customer: shown as resolved until data bring something new, or lost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction

from keepwell.model.definitions import Model
from keepwell.services.published import NothingPublished
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.here import workspace
from keepwell.services.team.reasons import Situation
from keepwell.services.team.task_days import published_model
from keepwell.store.models import Hold

HOLDS_DAYS: Final = 30
_SETTING: Final = "resolved_holds_days"


class NoHold(Exception):  # noqa: N818  it is a state, not a fault
    """Nothing stands that could be ended."""


@dataclass(frozen=True)
class HoldShown:
    """What pages show of a standing hold."""

    kind: str
    segment: str
    label: str
    by: str
    since: date
    until: date | None

    @property
    def lost(self) -> bool:
        """Whether somebody said that the customer is lost."""
        return self.kind == Hold.Kind.LOST


def holds_days(model: Model | None) -> int:
    """For how many days a resolution holds."""
    value = model.settings.values.get(_SETTING) if model else None
    return int(value) if isinstance(value, int | float) and value > 0 else HOLDS_DAYS


def standing_holds(customer_ids: Iterable[str] | None = None) -> dict[str, HoldShown]:
    """The standing holds by customer, of all customers if none are named; one query."""
    holds = Hold.objects.filter(ended_on=None).select_related("outcome__logged_by")
    if customer_ids is not None:
        holds = holds.filter(customer_id__in=list(customer_ids))
    return {hold.customer_id: _shown(hold) for hold in holds}


def segment_label(name: str) -> str:
    """What people call the segment that a hold shows."""
    try:
        definition = published_model(workspace()).segments.get(name)
    except NothingPublished:
        definition = None
    return (definition.label if definition else "") or name.replace("_", " ").capitalize() or "Resolved"


def _shown(hold: Hold) -> HoldShown:
    person = hold.outcome.logged_by if hold.outcome else None
    by = person.shown_name if person else "a person"
    return HoldShown(hold.kind, hold.segment, segment_label(hold.segment), by, hold.since, hold.until)


def why_ended(hold: Hold, situation: Situation, today: date) -> str:
    """Why a resolution holds no longer; empty while it does."""
    new = [reason.words or reason.condition for reason in situation.new_since(hold.conditions)]
    if new:
        return f"New: {'; '.join(new)}"[:255]
    if hold.until is not None and today >= hold.until:
        return f"{(hold.until - hold.since).days} days have passed"
    return ""


def hold_until(model: Model | None, today: date) -> date:
    """The day on which a resolution of today ends by itself."""
    return today + timedelta(days=holds_days(model))


@transaction.atomic
def end_hold(who: Actor, *, customer_id: str, why: str, now: datetime, today: date) -> None:
    """End what somebody said, by hand: tasks open again with the next run. Raises NoHold when nothing stands."""
    hold = Hold.objects.filter(customer_id=customer_id, ended_on=None).first()
    if hold is None or not Hold.objects.filter(pk=hold.pk, ended_on=None).update(ended_on=today, ended_why=why[:255]):
        raise NoHold("Nobody has marked this customer as resolved or lost, or that ended already.")
    record_end(who, hold, why, now)


def record_end(who: Actor, hold: Hold, why: str, now: datetime) -> None:
    """The audit row of a hold that ended."""
    record(
        who,
        at=now,
        action="hold.ended",
        kind="hold",
        object_id=hold.pk,
        customer_id=hold.customer_id,
        summary=f"No longer {hold.get_kind_display().lower()}: {why}",
        before=_values(hold),
    )


def _values(hold: Hold) -> Mapping[str, object]:
    return {"kind": hold.kind, "since": hold.since.isoformat(), "until": hold.until and hold.until.isoformat()}

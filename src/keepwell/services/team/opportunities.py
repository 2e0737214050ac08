"""Chances to sell more: found by the expansion signals of a published day, followed to won or lost by people."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from keepwell.reporting.expansion import Expansion, expansion_list
from keepwell.reporting.reading import CHURNED, read_day
from keepwell.services.reading import read_published
from keepwell.services.team.access import rows_in, scope_of
from keepwell.services.team.audit import Actor, record
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Hold, Opportunity, Person

GONE_AFTER: Final = timedelta(days=14)
"""A signal that stays off for so long, with nobody in touch, was no chance after all."""
QUIET: Final = timedelta(days=90)
"""For so long a signal opens nothing again after its opportunity was won or lost."""
WORKER: Final = "Keepwell"
OPEN: Final = (Opportunity.State.IDENTIFIED, Opportunity.State.CONTACTED)
PER_YEAR: Final = {"once": 1, "month": 12, "year": 1}
_SHOWN: Final = ("company", "owner_email", "title", "reason", "action", "urgency", "value", "period", "seen_on")


class OpportunityError(Exception):
    """What cannot be done with an opportunity; the message says why."""


@dataclass(frozen=True)
class OpportunitiesOpened:
    """What a day did to the pipeline."""

    opened: int
    kept: int
    gone: int


def open_opportunities_from_day(workspace: Workspace, as_of: date, now: datetime) -> OpportunitiesOpened:
    """Bring the pipeline up to date with a published day, in one transaction; a day again changes nothing."""
    published = read_published(workspace, as_of)
    day = read_day(workspace.snapshots, as_of)
    found = expansion_list(workspace.snapshots, published.model, day, limit=None, currency=workspace.currency).top
    here = {str(name) for name, state in zip(day.ids, day.text("status"), strict=True) if state != CHURNED}
    return bring_day(as_of, now, found, here)


@transaction.atomic
def bring_day(as_of: date, now: datetime, found: Iterable[Expansion], here: set[str]) -> OpportunitiesOpened:
    """The pipeline after a day with these signals; `here` are the customers who have not left by the data.

    Whom somebody marked as lost has left, too, whatever the data say.
    """
    lost = set(Hold.objects.filter(kind=Hold.Kind.LOST, ended_on=None).values_list("customer_id", flat=True))
    return _Day(as_of, now, here - lost).bring(one for one in found if one.customer_id not in lost)


@dataclass
class _Day:
    """One day over all opportunities: decides in memory, writes at the end."""

    as_of: date
    now: datetime
    here: set[str]
    opened: list[Opportunity] = field(default_factory=list)
    changed: list[Opportunity] = field(default_factory=list)
    gone: list[tuple[Opportunity, str]] = field(default_factory=list)

    def bring(self, found: Iterable[Expansion]) -> OpportunitiesOpened:
        there = {(one.customer_id, one.signal): one for one in Opportunity.objects.filter(state__in=OPEN)}
        quiet = set(
            Opportunity.objects.filter(
                state__in=(Opportunity.State.WON, Opportunity.State.LOST), closed_at__gt=self.now - QUIET
            ).values_list("customer_id", "signal")
        )
        for expansion in found:
            place = (expansion.customer_id, expansion.signal)
            if place in there:
                self._renew(there[place], expansion)
            elif place not in quiet:
                self.opened.append(self._opened(expansion))
        for one in there.values():
            self._leave(one)
        return self._written(len(there))

    def _renew(self, one: Opportunity, expansion: Expansion) -> None:
        """Today's values, unless an older day is looked at again."""
        if one.seen_on > self.as_of:
            return
        fresh = _values(expansion) | {"seen_on": self.as_of}
        if any(getattr(one, name) != value for name, value in fresh.items()):
            for name, value in fresh.items():
                setattr(one, name, value)
            self.changed.append(one)

    def _opened(self, expansion: Expansion) -> Opportunity:
        return Opportunity(
            customer_id=expansion.customer_id,
            signal=expansion.signal,
            opened_on=self.as_of,
            opened_at=self.now,
            seen_on=self.as_of,
            **_values(expansion),
        )

    def _leave(self, one: Opportunity) -> None:
        """Close what is no chance any more; what somebody works on stays until that person says so."""
        if one.customer_id not in self.here:
            self.gone.append((one, "The customer left"))
        elif one.state == Opportunity.State.IDENTIFIED and one.seen_on <= self.as_of - GONE_AFTER:
            self.gone.append((one, f"The signal has been off for {GONE_AFTER.days} days"))

    def _written(self, before: int) -> OpportunitiesOpened:
        _update(self.changed, _SHOWN)
        for one, why in self.gone:
            one.state, one.closed_at, one.note = Opportunity.State.GONE, self.now, why
            one.version += 1
        _update([one for one, _ in self.gone], ("state", "closed_at", "note", "version"))
        # What another run opened meanwhile stays: one open opportunity per customer and signal is the table's rule.
        Opportunity.objects.bulk_create(self.opened, batch_size=200, ignore_conflicts=True)
        AuditEntry.objects.bulk_create(
            [
                AuditEntry(
                    at=self.now,
                    actor_name=WORKER,
                    action="opportunity.gone",
                    object_kind="opportunity",
                    object_id=str(one.pk),
                    customer_id=one.customer_id,
                    summary=f"{one.title} of {one.company}: {why}"[:500],
                )
                for one, why in self.gone
            ],
            batch_size=200,
        )
        counts = OpportunitiesOpened(len(self.opened), before - len(self.gone), len(self.gone))
        if counts.opened:
            record(
                Actor(WORKER),
                at=self.now,
                action="opportunities.opened",
                kind="run",
                object_id=self.as_of.isoformat(),
                summary=f"{counts.opened} opportunities opened by the day of {self.as_of}",
                after=vars(counts),
            )
        return counts


def _values(expansion: Expansion) -> dict[str, Any]:
    value = None if expansion.value is None else Decimal(f"{expansion.value:.2f}")
    return {
        "company": (expansion.name or expansion.customer_id)[:255],
        "owner_email": expansion.owner.strip().lower()[:255],
        "title": expansion.label[:255],
        "reason": expansion.reason,
        "action": expansion.action[:255],
        "urgency": expansion.urgency,
        "value": value,
        "period": expansion.value_period,
    }


def _update(rows: list[Opportunity], names: Iterable[str]) -> None:
    Opportunity.objects.bulk_create(
        rows, batch_size=200, update_conflicts=True, unique_fields=["id"], update_fields=list(names)
    )


def visible_opportunities(person: Person) -> QuerySet[Opportunity]:
    """Those of customers whom a person may see."""
    return Opportunity.objects.filter(rows_in(scope_of(person)))


def opportunities_of(customer_id: str) -> list[Opportunity]:
    """The open opportunities of one customer, those that somebody works on first."""
    return list(Opportunity.objects.filter(customer_id=customer_id, state__in=OPEN).order_by("state", "-value", "pk"))


def opportunity_contacted(who: Actor, pk: int, *, version: int, note: str, now: datetime) -> Opportunity:
    """Somebody is in touch about it. Raises OpportunityError."""

    def change(one: Opportunity) -> str:
        if one.state != Opportunity.State.IDENTIFIED:
            raise OpportunityError(f"It is {one.get_state_display().lower()} already.")
        one.state, one.contacted_at = Opportunity.State.CONTACTED, now
        return "contacted"

    return _change(who, pk, version, note, now, "opportunity.contacted", change)


def opportunity_won(
    who: Actor, pk: int, *, version: int, value: Decimal | None, note: str, now: datetime
) -> Opportunity:
    """The customer bought; `value` is what a year of it brings, the signal's own value when left out."""
    if value is not None and not 0 <= value < Decimal(10) ** 13:
        raise OpportunityError("What was won is an amount of money of 0 or more.")

    def change(one: Opportunity) -> str:
        one.won_value = yearly(one) if value is None else value
        one.state, one.closed_at = Opportunity.State.WON, now
        one.contacted_at = one.contacted_at or now
        return f"won, {one.won_value or 0:,.2f} a year"

    return _change(who, pk, version, note, now, "opportunity.won", change)


def opportunity_lost(who: Actor, pk: int, *, version: int, note: str, now: datetime) -> Opportunity:
    """The customer said no, or it was none; why is asked for."""
    if not note.strip():
        raise OpportunityError("Say in a few words why it was lost: the next one is easier to win.")

    def change(one: Opportunity) -> str:
        one.state, one.closed_at = Opportunity.State.LOST, now
        return f"lost: {note.strip()}"

    return _change(who, pk, version, note, now, "opportunity.lost", change)


def opportunity_reopened(who: Actor, pk: int, *, version: int, now: datetime) -> Opportunity:
    """Back into the pipeline, when it was closed by mistake."""
    with transaction.atomic():
        one = _locked(pk, version)
        if one.state in OPEN:
            raise OpportunityError("It is open.")
        if Opportunity.objects.filter(customer_id=one.customer_id, signal=one.signal, state__in=OPEN).exists():
            raise OpportunityError("Another one with the same signal is open for this customer.")
        before = one.state
        one.state = Opportunity.State.CONTACTED if one.contacted_at else Opportunity.State.IDENTIFIED
        one.closed_at, one.won_value = None, None
        return _saved(who, one, "opportunity.reopened", f"reopened, was {before}", before, now)


def yearly(one: Opportunity) -> Decimal | None:
    """What a year of it brings."""
    return None if one.value is None else one.value * PER_YEAR.get(one.period, 1)


def _change(
    who: Actor, pk: int, version: int, note: str, now: datetime, action: str, change: Callable[[Opportunity], str]
) -> Opportunity:
    with transaction.atomic():
        one = _locked(pk, version)
        if one.state not in OPEN:
            raise OpportunityError(f"It is {one.get_state_display().lower()}; reopen it first.")
        before = one.state
        said = change(one)
        one.note = note.strip() or one.note
        return _saved(who, one, action, said, before, now)


def _locked(pk: int, version: int) -> Opportunity:
    one = Opportunity.objects.select_for_update().filter(pk=pk).first()
    if one is None:
        raise OpportunityError("It is not there any more.")
    if one.version != version:
        raise OpportunityError("Somebody else has changed it meanwhile; look at it again.")
    return one


def _saved(who: Actor, one: Opportunity, action: str, said: str, before: str, now: datetime) -> Opportunity:
    one.version += 1
    one.save()
    record(
        who,
        at=now,
        action=action,
        kind="opportunity",
        object_id=one.pk,
        customer_id=one.customer_id,
        summary=f"{one.title} of {one.company}: {said}",
        before={"state": before},
        after={
            "state": one.state,
            "note": one.note,
            "won_value": None if one.won_value is None else str(one.won_value),
        },
    )
    return one

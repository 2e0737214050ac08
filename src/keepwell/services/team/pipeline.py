"""The pipeline of opportunities as pages show it: stages with their value, the list in order, campaigns to start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from keepwell.model.playbook_definitions import ManualTrigger, SignalTrigger
from keepwell.services.team.opportunities import OPEN, PER_YEAR, visible_opportunities
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Opportunity, Person

CLOSED_FOR: Final = timedelta(days=90)
"""Won and lost are counted over so long."""
_WORDS: Final = ("expansion", "upsell", "upgrade", "team", "campaign")


@dataclass(frozen=True)
class PipelineQuery:
    """What to list; `state` empty is what is in the pipeline, "all" everything."""

    search: str = ""
    state: str = ""
    signal: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Stage:
    """One stage: how many, and what they bring in a year."""

    state: str
    label: str
    count: int
    yearly: Decimal


@dataclass(frozen=True)
class Campaign:
    """A playbook that can be started for a customer by hand."""

    name: str
    label: str
    description: str


def pipeline_found(person: Person, query: PipelineQuery) -> QuerySet[Opportunity]:
    """The opportunities asked for: urgent ones first, then by what a year of them brings."""
    rows = visible_opportunities(person)
    if query.state != "all":
        rows = rows.filter(state__in=[query.state] if query.state else OPEN)
    if query.signal:
        rows = rows.filter(signal=query.signal)
    if query.owner:
        rows = rows.filter(owner_email="" if query.owner == "-" else query.owner)
    if query.search:
        rows = rows.filter(Q(company__icontains=query.search) | Q(customer_id__icontains=query.search))
    return rows.annotate(urgent=_rank(), a_year=_a_year()).order_by(
        "urgent", F("a_year").desc(nulls_last=True), "company", "pk"
    )


def _rank() -> Case:
    ranks = (("HIGH", 1), ("MEDIUM", 2), ("LOW", 3))
    whens = [When(urgency=name, then=Value(rank)) for name, rank in ranks]
    return Case(*whens, default=Value(4), output_field=IntegerField())


def _a_year() -> Case:
    return Case(When(period="month", then=F("value") * PER_YEAR["month"]), default=F("value"))


def pipeline_totals(person: Person, now: datetime) -> tuple[Stage, ...]:
    """The stages: what is open, and what was won or lost lately."""
    rows = visible_opportunities(person)
    lately = Q(state__in=OPEN) | Q(closed_at__gt=now - CLOSED_FOR)
    worth = Case(When(state="won", then=F("won_value")), default=_a_year())
    found = {
        row["state"]: row
        for row in rows.filter(lately).values("state").annotate(count=Count("pk"), yearly=Sum(worth)).order_by()
    }
    shown = (Opportunity.State.IDENTIFIED, Opportunity.State.CONTACTED, Opportunity.State.WON, Opportunity.State.LOST)
    return tuple(
        Stage(state, state.label, found[state]["count"], found[state]["yearly"] or Decimal(0))
        if state in found
        else Stage(state, state.label, 0, Decimal(0))
        for state in shown
    )


def pipeline_choices(person: Person) -> tuple[list[tuple[str, str]], list[str]]:
    """Signals with their titles and owners that there are, for the filters."""
    rows = visible_opportunities(person)
    signals = sorted(set(rows.values_list("signal", "title").distinct()), key=lambda pair: pair[1].lower())
    return list(dict(signals).items()), sorted(rows.values_list("owner_email", flat=True).distinct())


def pipeline_history(one: Opportunity) -> Sequence[AuditEntry]:
    """What was done with it, the newest first."""
    return list(AuditEntry.objects.filter(object_kind="opportunity", object_id=str(one.pk))[:50])


def campaigns_for(workspace: Workspace, signal: str) -> tuple[Campaign, ...]:
    """Playbooks for growth: those that the signal would start, then those that people start."""
    model = plays_of(workspace).model
    if model is None:
        return ()
    own, by_hand = [], []
    for name, playbook in model.playbooks.items():
        campaign = Campaign(name, playbook.label or name, playbook.description)
        match playbook.trigger:
            case SignalTrigger(signal=wanted) if wanted == signal:
                own.append(campaign)
            case ManualTrigger() if any(word in f"{name} {campaign.label}".lower() for word in _WORDS):
                by_hand.append(campaign)
    return (*own, *by_hand)

"""Offers to customers, and chances to sell more."""

from typing import Any

from django.db import models
from django.db.models import Q

from keepwell.store.models.people import Person
from keepwell.store.models.playing import Approval, PlaybookRun
from keepwell.store.models.work import Task


class Offer(models.Model):
    """Something that a customer may accept until it expires; nothing is promised before it is approved."""

    class State(models.TextChoices):
        """Where it stands."""

        ASKED = "asked", "Waits for approval"
        REFUSED = "refused", "Not approved"
        OPEN = "open", "Offered"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DONE = "done", "Carried out"

    key = models.CharField(max_length=64, unique=True)
    customer_id = models.CharField(max_length=255, db_index=True)
    company = models.CharField(max_length=255)
    owner_email = models.CharField(max_length=255, blank=True, db_index=True)
    kind = models.CharField(max_length=24)
    title = models.CharField(max_length=255)
    # As the playbook's definition of an offer: months, percent, sessions, days, grace_days, terms.
    terms: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    worth = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True, help_text="What it costs us.")
    state = models.CharField(max_length=12, choices=State.choices)
    run = models.ForeignKey(PlaybookRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="offers")
    approval = models.ForeignKey(Approval, null=True, blank=True, on_delete=models.SET_NULL, related_name="offers")
    offered_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="offers")
    made_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    to_name = models.CharField(max_length=255, blank=True)
    to_email = models.CharField(max_length=320, blank=True)
    note = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True, blank=True)
    result = models.TextField(blank=True)
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.SET_NULL, related_name="offers")
    version = models.PositiveIntegerField(default=1)


class Opportunity(models.Model):
    """A chance to sell more to a customer, from the signal that showed it to won or lost."""

    class State(models.TextChoices):
        """How far it is."""

        IDENTIFIED = "identified", "Identified"
        CONTACTED = "contacted", "Contacted"
        WON = "won", "Won"
        LOST = "lost", "Lost"
        GONE = "gone", "No longer there"

    customer_id = models.CharField(max_length=255, db_index=True)
    company = models.CharField(max_length=255)
    owner_email = models.CharField(max_length=255, blank=True, db_index=True)
    signal = models.CharField(max_length=120)
    title = models.CharField(max_length=255)
    reason = models.TextField(blank=True)
    action = models.CharField(max_length=255, blank=True)
    urgency = models.CharField(max_length=8, blank=True)
    value = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    period = models.CharField(max_length=8, default="year", help_text="once, month or year")
    state = models.CharField(max_length=12, choices=State.choices, default=State.IDENTIFIED)
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    seen_on = models.DateField(help_text="The last day on which the signal was on.")
    contacted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    won_value = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    note = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer_id", "signal"],
                condition=Q(state__in=["identified", "contacted"]),
                name="one_open_opportunity_per_customer_and_signal",
            ),
        )

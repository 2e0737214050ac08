"""Surveys that are sent, tickets as they are judged, escalations, and checklists."""

from typing import Any

from django.db import models
from django.db.models import Q

from keepwell.store.models.people import Person
from keepwell.store.models.sending import Outgoing


class SurveyInvitation(models.Model):
    """One question to one person, answered at most once by a signed link."""

    key = models.CharField(max_length=160, unique=True)
    survey = models.CharField(max_length=120, help_text="Its name in the model.")
    kind = models.CharField(max_length=8, help_text="nps, csat or ces")
    trigger = models.CharField(max_length=120, blank=True)
    customer_id = models.CharField(max_length=255, db_index=True)
    company = models.CharField(max_length=255)
    person_id = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=320, db_index=True)
    about = models.CharField(max_length=255, blank=True, help_text="What it asks about: a ticket, a renewal.")
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    outgoing = models.ForeignKey(Outgoing, null=True, blank=True, on_delete=models.SET_NULL, related_name="surveys")
    answered_at = models.DateTimeField(null=True, blank=True)
    score = models.SmallIntegerField(null=True, blank=True)
    comment = models.TextField(blank=True)
    commented_at = models.DateTimeField(null=True, blank=True)


class TicketJudged(models.Model):
    """What a ticket is about and how urgent it is, and who said so: rules, the classifier, or a person, who wins."""

    ticket_id = models.CharField(max_length=255, primary_key=True)
    customer_id = models.CharField(max_length=255, blank=True, db_index=True)
    category = models.CharField(max_length=80, blank=True)
    priority = models.CharField(max_length=8, blank=True)
    by = models.CharField(max_length=12, help_text="rules, classifier or person")
    confidence = models.FloatField(null=True, blank=True)
    why = models.CharField(max_length=255, blank=True)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()


class TicketClock(models.Model):
    """That a service level of a ticket came near or passed: told once, whoever looks first."""

    ticket_id = models.CharField(max_length=255)
    what = models.CharField(max_length=24, help_text="response_near, response_breached, resolution_near, …")
    customer_id = models.CharField(max_length=255, db_index=True)
    due_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["ticket_id", "what"], name="a_ticket_clock_rings_once"),)


class Escalation(models.Model):
    """A pattern in support that needs another team: its document is filled from data and ready to paste."""

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "Open"
        FILED = "filed", "Filed"
        CLOSED = "closed", "Closed"

    pattern = models.CharField(max_length=80)
    subject = models.CharField(max_length=160, help_text="What it is about: a feature, a competitor, a service.")
    title = models.CharField(max_length=255)
    team = models.CharField(max_length=24, blank=True)
    priority = models.CharField(max_length=8, blank=True)
    document = models.TextField(help_text="Markdown.")
    tickets: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    customers: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    figures: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    link = models.CharField(max_length=500, blank=True, help_text="Where it was filed.")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["pattern", "subject"], condition=~Q(state="closed"), name="one_open_escalation_per_pattern"
            ),
        )


class ChecklistTick(models.Model):
    """An item of a checklist that is done for a day, a week or a month, by a person or by the data."""

    checklist = models.CharField(max_length=80)
    item = models.CharField(max_length=120)
    period = models.CharField(max_length=10, help_text="2026-11-21, 2026-W47 or 2026-11")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="ticks")
    note = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["checklist", "item", "period"], name="an_item_is_ticked_once"),)

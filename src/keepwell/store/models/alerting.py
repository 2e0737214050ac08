"""Alerts: what has to be looked at now, until when, by whom."""

from typing import Any

from django.db import models
from django.db.models import Q

from keepwell.store.models.people import Person


class Alert(models.Model):
    """One thing that went wrong for one customer; while it is open, what happens again is counted in it."""

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        SNOOZED = "snoozed", "Snoozed"
        RESOLVED = "resolved", "Resolved"

    class Severity(models.TextChoices):
        """How bad it is."""

        CRITICAL = "critical", "Critical"
        HIGH = "high", "High"
        MEDIUM = "medium", "Medium"
        LOW = "low", "Low"

    rule = models.CharField(max_length=120)
    customer_id = models.CharField(max_length=255, db_index=True)
    company = models.CharField(max_length=255)
    owner_email = models.CharField(max_length=255, blank=True, db_index=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    title = models.CharField(max_length=255)
    what = models.TextField(help_text="What happened, with the values.")
    values: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    action = models.CharField(max_length=255, blank=True, help_text="What to do next.")
    money = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    since = models.DateTimeField(help_text="When it happened first.")
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    # The clock runs until somebody acknowledges; it may rest outside business hours, so its moments are kept.
    due_at = models.DateTimeField(null=True, blank=True)
    near_at = models.DateTimeField(null=True, blank=True)
    near_told_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    level = models.PositiveSmallIntegerField(default=0, help_text="How far it went up the chain of people.")
    next_at = models.DateTimeField(null=True, blank=True, help_text="When the clock is looked at again.")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="alerts")
    acknowledged_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_why = models.CharField(max_length=255, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer_id", "rule"],
                condition=~Q(state="resolved"),
                name="one_open_alert_per_customer_and_rule",
            ),
        )
        indexes = (
            models.Index(fields=["state", "severity", "due_at"], name="alert_list"),
            models.Index(fields=["next_at"], condition=~Q(state="resolved"), name="alert_clock"),
        )


class AlertMark(models.Model):
    """One line of an alert's history. `key` makes what set it off count once."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="marks")
    key = models.CharField(max_length=160, unique=True, null=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    text = models.CharField(max_length=500)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")


class WaitingEvent(models.Model):
    """An event that would have set something off, had it been known whose it is. It waits for its link, once.

    The line is the journal's own; the three ids are those by which a link may be told.
    """

    message_id = models.CharField(max_length=255, unique=True)
    at = models.DateTimeField(db_index=True, help_text="When it happened.")
    user = models.CharField(max_length=320, blank=True, db_index=True)
    anonymous = models.CharField(max_length=320, blank=True, db_index=True)
    group = models.CharField(max_length=320, blank=True, db_index=True, help_text="The customer whom it names itself.")
    line = models.TextField()


class JournalPlace(models.Model):
    """How far a reader has read the journal of accepted events; moved in the transaction of what it did."""

    reader = models.CharField(max_length=40)
    file = models.CharField(max_length=120)
    position = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["reader", "file"], name="a_reader_has_one_place_in_a_file"),)

"""Work on customers: tasks, outcomes, notes, and what a person's word changes until data say otherwise."""

from typing import Any

from django.db import models
from django.db.models import Q

from keepwell.store.models.jobs import Job
from keepwell.store.models.people import Person


class Task(models.Model):
    """One thing somebody should do for one customer."""

    class State(models.TextChoices):
        """Where the task stands."""

        OPEN = "open", "Open"
        SNOOZED = "snoozed", "Snoozed"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    class Kind(models.TextChoices):
        """Where it comes from."""

        SEGMENT = "segment", "Segment"
        SIGNAL = "signal", "Signal"
        PLAYBOOK = "playbook", "Playbook"
        FOLLOW_UP = "follow_up", "Follow-up"
        MANUAL = "manual", "Made by hand"
        SURVEY = "survey", "Survey"

    customer_id = models.CharField(max_length=255, db_index=True)
    company = models.CharField(max_length=255)
    owner_email = models.CharField(max_length=255, blank=True, db_index=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    play = models.CharField(max_length=120)
    title = models.CharField(max_length=255)
    action = models.CharField(max_length=255, blank=True)
    segment = models.CharField(max_length=120, blank=True)
    # Sentences with the values that made this task, and the conditions that were true then.
    reasons: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    conditions: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    # What a playbook says about how to do it, and the points to tick off: [{"text": …, "done": false}].
    notes = models.TextField(blank=True)
    checklist: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField(
        default=list, blank=True
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    # The order of the queue: the segment's priority (1 first), then money at stake, then days to renewal.
    priority = models.PositiveSmallIntegerField(default=100)
    money = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    renewal_on = models.DateField(null=True, blank=True)
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    snoozed_until = models.DateField(null=True, blank=True)
    snooze_reason = models.CharField(max_length=255, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_why = models.CharField(max_length=255, blank=True)
    assignee = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    linked_to = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="linked")
    opened_by_job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    # Raised by every change: whoever saves on top of a number that has moved on is told.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (
            # SPEC: one open task per customer and play.
            models.UniqueConstraint(
                fields=["customer_id", "play"],
                condition=Q(state__in=["open", "snoozed"]),
                name="one_open_task_per_customer_and_play",
            ),
        )
        indexes = (
            models.Index(fields=["state", "priority", "-money", "renewal_on"], name="task_queue"),
            models.Index(fields=["customer_id", "play", "-opened_on"], name="task_customer_play"),
        )

    def __str__(self) -> str:
        return self.title


class Outcome(models.Model):
    """What came of a task."""

    class Contact(models.TextChoices):
        """What happened?"""

        REACHED = "reached", "Reached"
        VOICEMAIL = "voicemail", "Voicemail"
        EMAIL = "email", "E-mail"

    class Issue(models.TextChoices):
        """What was the issue?"""

        PAYMENT = "payment", "Payment"
        USAGE = "usage", "Usage"
        TECHNICAL = "technical", "Technical"

    class Result(models.TextChoices):
        """What action was taken?"""

        RESOLVED = "resolved", "Resolved"
        FOLLOW_UP = "follow_up", "Follow-up"
        LOST = "lost", "Lost"

    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="outcome")
    customer_id = models.CharField(max_length=255, db_index=True)
    contact = models.CharField(max_length=12, choices=Contact.choices)
    issue = models.CharField(max_length=12, choices=Issue.choices)
    result = models.CharField(max_length=12, choices=Result.choices)
    note = models.TextField(blank=True)
    follow_up_on = models.DateField(null=True, blank=True)
    logged_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="outcomes")
    logged_at = models.DateTimeField()


class Hold(models.Model):
    """A person's word on a customer that stands beside the data: resolved until a new reason, or lost."""

    class Kind(models.TextChoices):
        """What was said."""

        RESOLVED = "resolved", "Resolved"
        LOST = "lost", "Lost"

    customer_id = models.CharField(max_length=255, db_index=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    segment = models.CharField(max_length=120, blank=True, help_text="The segment shown while it holds.")
    conditions: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    outcome = models.ForeignKey(Outcome, null=True, on_delete=models.SET_NULL, related_name="holds")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    ended_why = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer_id"], condition=Q(ended_on__isnull=True), name="one_standing_hold_per_customer"
            ),
        )


class Note(models.Model):
    """Something written down about a customer."""

    customer_id = models.CharField(max_length=255, db_index=True)
    text = models.TextField()
    written_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="notes")
    written_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    def as_values(self) -> dict[str, Any]:
        """What the audit log keeps of it."""
        return {"text": self.text}

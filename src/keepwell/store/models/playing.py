"""Playbooks at work: which are switched on, their runs, timers, events that wait for them, and what was done once."""

from typing import Any

from django.db import models
from django.db.models import Q

from keepwell.store.models.people import Person


class PlaybookSwitch(models.Model):
    """Whether a playbook may start by itself; none may until somebody who saw its budget switched it on."""

    playbook = models.CharField(max_length=120, primary_key=True)
    on = models.BooleanField(default=False)
    changed_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField()


class PlaybookVersion(models.Model):
    """A playbook as it was, with its messages and its calendar: runs keep to the version that they began with."""

    playbook = models.CharField(max_length=120)
    version = models.CharField(max_length=64)
    definition: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    kept_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["playbook", "version"], name="playbook_versions_differ"),)


class PlaybookRun(models.Model):
    """One customer's way through one playbook. `state` is the machine's; the columns beside it are for questions."""

    playbook = models.CharField(max_length=120)
    version = models.CharField(max_length=64)
    customer_id = models.CharField(max_length=255, db_index=True)
    company = models.CharField(max_length=255)
    entry = models.PositiveIntegerField(help_text="The customer's runs of this playbook, counted from 1.")
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=255)
    state: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    step = models.CharField(max_length=120, blank=True)
    phase = models.CharField(max_length=12)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    success = models.BooleanField(default=False)
    # Answers of the customer while it went on: reply, click, meeting, login.
    responded_at = models.DateTimeField(null=True, blank=True)
    # Begun by its own trigger while others were held out; and the first day on which the goal held afterwards.
    compared = models.BooleanField(default=False)
    reached_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["playbook", "customer_id", "entry"], name="playbook_entries_differ"),
            models.UniqueConstraint(
                fields=["playbook", "customer_id"],
                condition=Q(ended_at__isnull=True),
                name="one_run_of_a_playbook_at_once",
            ),
        )
        indexes = (models.Index(fields=["playbook", "-started_at"], name="playbook_run_started"),)


class PlaybookHeldOut(models.Model):
    """A customer who would have started a playbook and was left alone, to compare with."""

    playbook = models.CharField(max_length=120)
    customer_id = models.CharField(max_length=255)
    at = models.DateTimeField()
    # The first day on which the playbook's goal held all the same.
    reached_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["playbook", "customer_id"], name="held_out_once"),)


class PlaybookTimer(models.Model):
    """A run's wish to be woken; it is gone once it fired."""

    run = models.ForeignKey(PlaybookRun, on_delete=models.CASCADE, related_name="timers")
    number = models.PositiveIntegerField()
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "number"], name="a_timer_is_set_once"),)


class Happening(models.Model):
    """Something that happened to a customer and that runs of playbooks have to hear of, each once.

    With `run` it is for that run alone. `kind` is a `keepwell.playbooks.events.Happened`, or `start`.
    """

    key = models.CharField(max_length=160, unique=True)
    customer_id = models.CharField(max_length=255)
    run = models.ForeignKey(PlaybookRun, null=True, blank=True, on_delete=models.CASCADE, related_name="happenings")
    kind = models.CharField(max_length=24)
    name = models.CharField(max_length=160, blank=True)
    data: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["id"], condition=Q(heard_at__isnull=True), name="happening_waits"),)


class PlaybookEffect(models.Model):
    """What a run asked for, done in the transaction that moved the run; whatever has a row here is not done again."""

    key = models.CharField(max_length=64, primary_key=True)
    run = models.ForeignKey(PlaybookRun, on_delete=models.CASCADE, related_name="effects")
    kind = models.CharField(max_length=16)
    step = models.CharField(max_length=120)
    at = models.DateTimeField()
    due = models.DateTimeField(null=True, blank=True)
    details: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    # What came of it, for links: {"task": 12}, {"outbox": 7}, or {"refused": "nobody has this address"}.
    result: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=["run", "at"], name="playbook_effect_of_run"),)


class Approval(models.Model):
    """A question that somebody has to answer before something goes on."""

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "Waiting"
        GIVEN = "given", "Approved"
        REFUSED = "refused", "Refused"
        EXPIRED = "expired", "Nobody answered in time"
        GONE = "gone", "No longer needed"

    key = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, help_text="playbook or offer")
    run = models.ForeignKey(PlaybookRun, null=True, blank=True, on_delete=models.CASCADE, related_name="approvals")
    customer_id = models.CharField(max_length=255, db_index=True)
    company = models.CharField(max_length=255)
    owner_email = models.CharField(max_length=255, blank=True)
    question = models.CharField(max_length=500)
    asked_role = models.CharField(max_length=24)
    asked_by = models.CharField(max_length=255)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN, db_index=True)
    decided_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="approvals")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True)

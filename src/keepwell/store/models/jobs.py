"""What the worker does and did."""

from typing import Any

from django.db import models

from keepwell.store.models.people import Person


class Job(models.Model):
    """One piece of work in the background; kind and key together happen once."""

    class Kind(models.TextChoices):
        """What is done."""

        DAILY = "daily", "Daily run"
        BACKFILL = "backfill", "Backfill"
        LOAD = "load", "Load"
        PUBLISH = "publish", "Publish"
        PLAN = "plan", "Plan of a model change"
        RETRY = "retry", "Retry of quarantined rows"
        BUDGET = "budget", "Alert budget of a playbook"

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        PROBLEMS = "problems", "Done with problems"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    key = models.CharField(max_length=120)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED, db_index=True)
    as_of = models.DateField(null=True, blank=True)
    arguments: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=120, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    # Moved on while the worker lives; a job whose heart stopped is taken over.
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    step = models.CharField(max_length=160, blank=True)
    progress = models.FloatField(default=0)
    counts: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    warnings: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)
    error = models.TextField(blank=True)
    result: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)
    requested_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs")
    cancel_requested = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "key"], name="a_job_happens_once"),)
        indexes = (models.Index(fields=["state", "due_at"], name="job_due"),)

    def __str__(self) -> str:
        # When it was asked for makes a key unique and tells a person nothing.
        return f"{self.get_kind_display()} {self.key.split(' · asked ')[0]}"

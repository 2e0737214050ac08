"""Who changed what, when and why. Rows are only ever added."""

from typing import Any

from django.db import models

from keepwell.store.models.people import Person


class AuditEntry(models.Model):
    """One change."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="audit_entries")
    # Stays readable when the person is gone; programs are named by their token, the worker by its job.
    actor_name = models.CharField(max_length=255)
    action = models.CharField(max_length=64, db_index=True)
    object_kind = models.CharField(max_length=64)
    object_id = models.CharField(max_length=255)
    customer_id = models.CharField(max_length=255, blank=True, db_index=True)
    summary = models.CharField(max_length=500)
    before: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)
    after: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ("-at", "-id")

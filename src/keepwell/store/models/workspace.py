"""What people make and set in the workspace: views, segments, settings; and what goes back into canonical data."""

from typing import Any

from django.db import models

from keepwell.store.models.people import Person


class SavedView(models.Model):
    """A page's filters and order under a name."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="views")
    page = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    query: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)
    shared = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["person", "page", "name"], name="view_names_differ"),)


class WorkspaceSegment(models.Model):
    """A segment made in the workspace; its definition is the YAML that model packs use."""

    class Visibility(models.TextChoices):
        """Who sees it."""

        PRIVATE = "private", "Only me"
        SHARED = "shared", "Everybody"
        ROLES = "roles", "Some roles"

    name = models.SlugField(max_length=80, unique=True)
    label = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    definition = models.TextField(help_text="YAML")
    dynamic = models.BooleanField(default=True)
    # The members of a fixed list; a dynamic segment has none here.
    members: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list, blank=True)
    visibility = models.CharField(max_length=8, choices=Visibility.choices, default=Visibility.PRIVATE)
    roles: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="segments")
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.label


class WorkspaceSetting(models.Model):
    """One setting that is changed in the workspace."""

    name = models.CharField(max_length=64, primary_key=True)
    value: "models.JSONField[Any, Any]" = models.JSONField(null=True)


class CanonicalWrite(models.Model):
    """A row that the workspace learned (an interaction, a lost customer) and the next job loads into canonical data."""

    table = models.CharField(max_length=64)
    row: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    made_at = models.DateTimeField()
    loaded_at = models.DateTimeField(null=True, blank=True, db_index=True)


class ModelDraft(models.Model):
    """A person's unsaved changes of the model: whole YAML files, and the version they started from."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="model_draft")
    base_hash = models.CharField(max_length=64)
    base: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict)
    sources: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField()
    hash = models.CharField(max_length=64)
    changed_at = models.DateTimeField()
    plan = models.ForeignKey("store.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

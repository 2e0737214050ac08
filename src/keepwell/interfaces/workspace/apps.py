"""The Django app of the pages: templates, template tags and static files, no tables."""

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    """Pages of the workspace."""

    name = "keepwell.interfaces.workspace"
    label = "workspace"
    verbose_name = "Keepwell workspace"

"""The Django app."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Everything of Keepwell that is kept in the application database."""

    name = "keepwell.store"
    label = "store"
    verbose_name = "Keepwell"
    default_auto_field = "django.db.models.BigAutoField"

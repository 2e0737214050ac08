"""Moments as people read them."""

from datetime import datetime

from django.utils.timezone import localtime


def moment_words(at: datetime) -> str:
    """`30 Jun 2026, 18:30 CEST`, in the workspace's time zone, which is named: texts are read elsewhere, too."""
    local = localtime(at)
    return f"{local.day} {local:%b %Y, %H:%M %Z}"

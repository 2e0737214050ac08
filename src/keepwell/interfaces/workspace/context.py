"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from keepwell.interfaces.workspace.navigation import menu_of
from keepwell.services.published import copies_current
from keepwell.services.team.access import ALLOWED
from keepwell.services.team.here import workspace


def workspace_context(request: HttpRequest) -> dict[str, Any]:
    """The workspace's name, the published day, the menu and what the person may do (`may.edit_model`, …)."""
    here = workspace()
    known: dict[str, Any] = {
        "workspace_name": here.name,
        "currency": here.currency,
        "pretended_today": settings.WEB.today,
        "mails_are_sent": "console" not in settings.EMAIL_BACKEND,
    }
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return known
    copies = copies_current(here)
    return known | {
        "menu": menu_of(request, person),
        "may": {str(action): True for action in ALLOWED.get(person.role, ())},
        "published_on": copies.as_of if copies else None,
    }

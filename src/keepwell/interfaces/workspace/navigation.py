"""The menu: which pages there are, for whom, and in which order."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from keepwell.services.team.access import Action, may
from keepwell.store.models import Person


@dataclass(frozen=True)
class Entry:
    """One page in the menu; `url_name` is its first page, `area` the start of its addresses.

    With `group` a part of the menu begins, under this heading.
    """

    label: str
    url_name: str
    icon: str
    action: Action
    area: str
    key: str = ""
    group: str = ""


MENU: Final = (
    Entry("Today", "today", "list-check", Action.SEE, "/today", "t"),
    Entry("Alerts", "alerts", "bell", Action.SEE, "/alerts", "a"),
    Entry("Approvals", "approvals", "shield-check", Action.SEE, "/approvals", "v"),
    Entry("Checklists", "checklists", "clipboard-list", Action.SEE, "/checklists", "c"),
    Entry("Notices", "notices", "message", Action.SEE, "/notices", "n"),
    Entry("Portfolio", "portfolio", "table", Action.SEE, "/portfolio", "p", group="Customers"),
    Entry("Segments", "segments", "chart-pie", Action.SEE, "/segments", "s"),
    Entry("Opportunities", "opportunities", "trending-up", Action.SEE, "/opportunities", "e"),
    Entry("Offers", "offers", "star", Action.SEE, "/offers", "f"),
    Entry("Support", "support", "ticket", Action.SEE, "/support", "u"),
    Entry("Surveys", "surveys", "help", Action.SEE, "/surveys", "y"),
    Entry("Playbooks", "playbooks", "git-branch", Action.SEE, "/playbooks", "b", group="Automation"),
    Entry("Outbox", "outbox", "send", Action.SEE, "/outbox", "o"),
    Entry("Model", "model", "adjustments", Action.SEE, "/model", "m", group="Set up"),
    Entry("Data", "data", "database", Action.SEE, "/data", "d"),
    Entry("Jobs", "jobs", "activity", Action.RUN_JOBS, "/jobs", "j"),
    Entry("People", "people", "users", Action.MANAGE_PEOPLE, "/people"),
    Entry("Audit log", "audit", "history", Action.SEE_AUDIT, "/audit"),
    Entry("Settings", "settings", "settings", Action.CHANGE_SETTINGS, "/settings"),
)


@dataclass(frozen=True)
class Shown:
    """An entry as the page shows it."""

    entry: Entry
    url: str
    active: bool
    heading: str


def menu_of(request: HttpRequest, person: Person) -> list[Shown]:
    """The entries that a person may open; a heading stands over the first of its part."""
    shown: list[Shown] = []
    heading = ""
    for entry in MENU:
        heading = entry.group or heading
        if may(person, entry.action):
            shown.append(Shown(entry, reverse(entry.url_name), request.path.startswith(entry.area), heading))
            heading = ""
    return shown

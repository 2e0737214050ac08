"""Who may see which customer, and who may do what. Every page and every call of the API asks here."""

from enum import StrEnum
from typing import Final

from django.db.models import Q

from keepwell.services.published import EVERYONE, NothingPublished, Scope, customer_owner
from keepwell.services.team.here import workspace
from keepwell.store.models import Alert, Person, Role, Task


class Action(StrEnum):
    """What a person may be allowed to do."""

    SEE = "see"
    WORK = "work"  # tasks, outcomes, notes
    ASSIGN = "assign"  # give tasks to others
    PRIVATE_SEGMENTS = "private_segments"
    SHARED_SEGMENTS = "shared_segments"
    EDIT_MODEL = "edit_model"
    MANAGE_DATA = "manage_data"
    RUN_JOBS = "run_jobs"
    SEE_AUDIT = "see_audit"
    MANAGE_PEOPLE = "manage_people"
    CHANGE_SETTINGS = "change_settings"
    APPROVE = "approve"  # questions of playbooks, offers
    SWITCH_PLAYBOOKS = "switch_playbooks"
    MANAGE_CHANNELS = "manage_channels"  # what may leave the house


_CSM: Final = frozenset({Action.SEE, Action.WORK, Action.PRIVATE_SEGMENTS})
_MANAGER: Final = _CSM | {Action.ASSIGN, Action.APPROVE}
_OPS: Final = _MANAGER | {
    Action.SHARED_SEGMENTS,
    Action.EDIT_MODEL,
    Action.MANAGE_DATA,
    Action.RUN_JOBS,
    Action.SEE_AUDIT,
    Action.SWITCH_PLAYBOOKS,
}
ALLOWED: Final[dict[str, frozenset[Action]]] = {
    Role.VIEWER: frozenset({Action.SEE}),
    Role.CSM: _CSM,
    Role.MANAGER: _MANAGER,
    Role.OPS: _OPS,
    Role.ADMIN: frozenset(Action),
}


def may(person: Person, action: Action) -> bool:
    """Whether a person's role allows an action."""
    return person.is_active and action in ALLOWED.get(person.role, frozenset())


def scope_of(person: Person) -> Scope:
    """A CSM sees the own book, a manager or a viewer with a team the team's, others all. Unassigned are everyone's."""
    if person.role == Role.CSM:
        return Scope(person.owner_emails)
    if person.role == Role.MANAGER or (person.role == Role.VIEWER and person.team_id):
        return Scope(person.owner_emails | _team_emails(person))
    return EVERYONE


def covers(scope: Scope, owner_email: str | None) -> bool:
    """Whether a scope holds a customer with this owner."""
    if not owner_email:
        return scope.unassigned
    return scope.owners is None or owner_email.lower() in scope.owners


def rows_in(scope: Scope) -> Q:
    """The rows of a table with an `owner_email` that a scope holds."""
    if scope.owners is None:
        return Q()
    seen = Q(owner_email__in=scope.owners)
    return seen | Q(owner_email="") if scope.unassigned else seen


def may_see_customer(person: Person, customer_id: str) -> bool:
    """The one question: may this person see this customer? Unknown customers are seen by nobody.

    Who was given a task or an alert sees its customer while that is open, whoever's book it is in.
    """
    if not may(person, Action.SEE):
        return False
    try:
        found = customer_owner(workspace(), customer_id)
    except NothingPublished:
        return False
    return found is not None and (covers(scope_of(person), found.owner_email) or _stands_in(person, customer_id))


def _stands_in(person: Person, customer_id: str) -> bool:
    """Whether somebody was given an open task or alert of a customer, of whose book it may be."""
    tasks = Task.objects.filter(assignee=person, customer_id=customer_id)
    if tasks.filter(state__in=(Task.State.OPEN, Task.State.SNOOZED)).exists():
        return True
    alerts = Alert.objects.filter(assignee=person, customer_id=customer_id)
    return alerts.exclude(state=Alert.State.RESOLVED).exists()


def _team_emails(person: Person) -> frozenset[str]:
    if not person.team_id:
        return frozenset()
    return frozenset().union(*(p.owner_emails for p in Person.objects.filter(team_id=person.team_id)))

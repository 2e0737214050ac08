"""Tokens and their scopes."""

from datetime import date, datetime
from typing import Final, cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from keepwell.interfaces.api.problems import Problem
from keepwell.services.team.access import Action, may, may_see_customer
from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.people import token_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import ApiToken, Person


class ApiRequest(HttpRequest):
    """A request with a token, as middleware and sign-in complete it."""

    user: Person
    auth: ApiToken
    now: datetime
    today: date
    workspace: Workspace


class Token(HttpBearer):
    """`Authorization: Bearer kw_…` with a scope; the token's person must be allowed the action, too."""

    def __init__(self, scope: str, action: Action) -> None:
        super().__init__()
        self.scope, self.action = scope, action

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token when it works; a Problem says what it lacks."""
        found = token_of(token, cast(ApiRequest, request).now)
        if found is None:
            return None
        if self.scope not in found.scopes:
            raise Problem(
                403, "Scope is missing", f"The token needs the scope '{self.scope}'; it has {', '.join(found.scopes)}."
            )
        if not may(found.person, self.action):
            raise Problem(403, "Not for this role", f"{found.person.get_role_display()}s may not do this.")
        request.user = found.person
        return found


READ: Final = Token("read", Action.SEE)
WORK: Final = Token("work", Action.WORK)
APPROVE: Final = Token("work", Action.APPROVE)
SWITCH: Final = Token("work", Action.SWITCH_PLAYBOOKS)
WRITE: Final = Token("work", Action.SEE)  # what everybody has of one's own
SEGMENTS: Final = Token("segments", Action.PRIVATE_SEGMENTS)
MODEL: Final = Token("model", Action.EDIT_MODEL)
DATA: Final = Token("data", Action.MANAGE_DATA)
JOBS: Final = Token("data", Action.RUN_JOBS)
AUDIT: Final = Token("admin", Action.SEE_AUDIT)
PEOPLE: Final = Token("admin", Action.MANAGE_PEOPLE)
SETTINGS: Final = Token("admin", Action.CHANGE_SETTINGS)
CHANNELS: Final = Token("admin", Action.MANAGE_CHANNELS)


def seen_customer(request: ApiRequest, customer_id: str) -> str:
    """The id of a customer whom the token's person may see; the same Problem when there is none."""
    if not may_see_customer(request.user, customer_id):
        raise Problem(404, "Not found", "There is no such customer, or this token may not see it.")
    return customer_id


def acting(request: ApiRequest) -> Actor:
    """Who acts, for the audit log."""
    return actor(request.user, request.auth.name)

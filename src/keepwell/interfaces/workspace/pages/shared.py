"""What pages share: signing in, roles, and the one question of who may see a customer."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from keepwell.services.team.access import Action, may, may_see_customer
from keepwell.services.team.audit import Actor, actor
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person

Arguments = ParamSpec("Arguments")


class PageRequest(HttpRequest):
    """A request of somebody signed in, as the middleware completes it."""

    user: Person
    now: datetime
    today: date
    workspace: Workspace
    htmx: Any


View = Callable[Concatenate[PageRequest, Arguments], HttpResponseBase]
Plain = Callable[Concatenate[HttpRequest, Arguments], HttpResponseBase]


def page(action: Action) -> Callable[[View[Arguments]], Plain[Arguments]]:
    """A page for people who are signed in and may do `action`."""

    def decorate(view: View[Arguments]) -> Plain[Arguments]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
            person = request.user
            if not isinstance(person, Person):
                return redirect_to_login(request.get_full_path())
            if not may(person, action):
                raise PermissionDenied
            return view(cast(PageRequest, request), *args, **kwargs)

        return checked

    return decorate


def customer_or_404(request: PageRequest, customer_id: str) -> str:
    """The customer's id when this person may see it; otherwise a page that does not tell whether it exists."""
    if not may_see_customer(request.user, customer_id):
        raise Http404
    return customer_id


def acting(request: PageRequest) -> Actor:
    """Who acts, for the audit log."""
    return actor(request.user)

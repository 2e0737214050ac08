"""What every request carries: the moment, the workspace, and answers to its common failures."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepwell.interfaces.site import clock
from keepwell.model.problems import DefinitionError
from keepwell.services.published import NothingPublished
from keepwell.services.team.here import workspace

Handler = Callable[[HttpRequest], HttpResponse]
SHOWN: Final = 20


class WorkspaceMiddleware:
    """Sets `request.now`, `request.today` and `request.workspace`; says what to do while nothing is published."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.now = clock.now()  # type: ignore[attr-defined]
        request.today = clock.today()  # type: ignore[attr-defined]
        request.workspace = workspace()  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A page that needs a published day shows how to get one; one that needs the model, what is wrong with it."""
        if request.path.startswith("/api/"):
            return None
        if isinstance(exception, NothingPublished):
            return render(request, "workspace/nothing_published.html", {"message": str(exception)}, status=200)
        if isinstance(exception, DefinitionError):
            known = {"problems": exception.problems[:SHOWN], "more": len(exception.problems[SHOWN:])}
            return render(request, "workspace/model_unreadable.html", known, status=409)
        return None

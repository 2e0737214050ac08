"""What people see when something cannot be shown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The person's role does not allow it."""
    said = (
        str(exception)
        if exception and str(exception)
        else "Your role does not include this page. An admin can change it."
    )
    return _shown(request, 403, "Not for your role", said)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such page, or a customer whom the person may not see: both look the same."""
    return _shown(request, 404, "Not found", "There is nothing here, or you may not see it.")


def not_usable(request: HttpRequest, said: str) -> HttpResponse:
    """A request that no page can do anything with."""
    return _shown(request, 400, "Request cannot be used", said)


def went_wrong(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return _shown(
        request,
        500,
        "Something went wrong",
        "It was written to the log. Try again; if it stays, tell your admin when it happened.",
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from this page, or a session that ended."""
    return _shown(
        request, 403, "Please try again", "The form was out of date. Go back, reload the page and send it again."
    )


def _shown(request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
    return render(request, "workspace/error.html", {"title": title, "message": message}, status=status)

"""What no request gets past: characters that no text holds, and slashes of ids in addresses of the API."""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, QueryDict

from keepwell.interfaces.api.problems import ProblemBody, answer
from keepwell.interfaces.workspace.pages.errors import not_usable

Handler = Callable[[HttpRequest], HttpResponse]
NUL: Final = "\0"
API: Final = "/api/"
PROGRAMS: Final = (API, "/v1/", "/in-app/", "/hooks/")
"""Where programs call: bodies are checked there, some of them as they were signed."""
SAID: Final = "It holds a NUL character, which no text can hold. Take it out and send it again."
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_TAKES_FILES: Final = frozenset({"data_upload"})
"""Pages that say themselves where files go, before anybody reads them; they ask for nothing else."""
_HIDDEN: Final = re.compile("%(2F|7E)", re.IGNORECASE)


class GuardMiddleware:
    """Refuses NUL in addresses, query strings and forms: PostgreSQL takes none, so no page has to think of it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Before any page or operation is asked; forms were read by then, as their token is in them."""
        if not _impossible(request) and not any(NUL in str(value) for value in kwargs.values()):
            return None
        if request.path.startswith(PROGRAMS):
            return answer(ProblemBody(title="Request cannot be used", status=400, detail=SAID))
        return not_usable(request, SAID)


class ApiAddressMiddleware:
    """Reads `%2F` in an address of the API as a part of an id.

    Servers decode an address before they hand it on: then `a%2Fhistory` looks like the history of `a`. Where the server
    also hands on what was sent, such a slash is put as pages write it (`a~2Fhistory`), which comes back as `a/history`.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(API):
            request.path_info = told_apart(request.path_info, str(request.META.get("REQUEST_URI") or ""))
        return self.get_response(request)


def told_apart(path: str, sent: str) -> str:
    """The decoded path with encoded slashes and tildes written as pages do; as it was when `sent` is another one."""
    raw = sent.partition("?")[0]
    if not _HIDDEN.search(raw) or unquote(raw) != path:
        return path
    return unquote(_HIDDEN.sub(lambda found: f"~{found[1].upper()}", raw))


def _impossible(request: HttpRequest) -> bool:
    if NUL in request.path_info or _holds(request.GET):
        return True
    if request.path.startswith(PROGRAMS) or request.content_type not in _FORMS:
        return False
    named = request.resolver_match.url_name if request.resolver_match else None
    return named not in _TAKES_FILES and _holds(request.POST)


def _holds(values: QueryDict) -> bool:
    return any(NUL in name or any(NUL in value for value in found) for name, found in values.lists())

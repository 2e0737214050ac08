"""Who asks: a user of the product, for whom the product's server has signed a token, on a page that may ask."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final, cast

import jwt
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from keepwell.interfaces.api.ingest.answers import Refused
from keepwell.interfaces.api.problems import answer
from keepwell.interfaces.api.security import ApiRequest
from keepwell.services.ingest.values import sound
from keepwell.services.team.outbox.in_app import KEY, Reader, in_app_key, origins

View = Callable[..., HttpResponse]

LONGEST: Final = timedelta(hours=24)
_LEEWAY: Final = 60
_REMEMBERED: Final = "600"
_LENGTH: Final = 255


def for_pages(method: str) -> Callable[[View], View]:
    """A view that the product's pages call with one method, from origins that an admin has named."""

    def decorate(view: View) -> View:
        @csrf_exempt  # a token in a header is no cookie
        @wraps(view)
        def called(request: HttpRequest, **arguments: Any) -> HttpResponse:
            try:
                allowed = _allowed(request)
            except Refused as refused:
                return _with(answer(refused.body), "", method)
            if request.method == "OPTIONS":
                return _with(HttpResponse(status=204), allowed, method)
            try:
                return _with(_answered(view, cast(ApiRequest, request), method, arguments), allowed, method)
            except Refused as refused:
                return _with(answer(refused.body, **refused.headers), allowed, method)

        return called

    return decorate


def _answered(view: View, request: ApiRequest, method: str, arguments: dict[str, Any]) -> HttpResponse:
    if request.method != method:
        raise Refused(405, "Method not allowed", f"This address takes {method}.", Allow=method)
    return view(request, reader_of(request), **arguments)


def reader_of(request: ApiRequest) -> Reader:
    """For whom the token was signed; raises Refused."""
    key = in_app_key()
    if key is None:
        raise Refused(404, "Not set up", f"Messages inside the product need {KEY} on the server.")
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unknown("Send a token: Authorization: Bearer …")
    try:
        said = jwt.decode(
            token.strip(),
            key,
            algorithms=["HS256"],
            leeway=_LEEWAY,
            options={"require": ["exp", "sub", "customer"], "verify_aud": False},
        )
    except jwt.InvalidTokenError as error:
        raise _unknown(f"This token does not work: {error}") from None
    return _reader(said)


def _reader(said: dict[str, Any]) -> Reader:
    customer, person = said["customer"], said["sub"]
    if not all(isinstance(one, str) and 0 < len(one) <= _LENGTH and sound(one) == one for one in (customer, person)):
        raise _unknown("“sub” and “customer” are the ids of the user and of its customer, as texts.")
    latest = datetime.now(UTC) + LONGEST + timedelta(seconds=_LEEWAY)
    if int(said["exp"]) > latest.timestamp():
        raise _unknown("A token may work for 24 hours at most: give it an earlier “exp”.")
    return Reader(customer, person)


def _unknown(said: str) -> Refused:
    return Refused(401, "Token is missing or does not work", said, WWW_Authenticate="Bearer")


def _allowed(request: HttpRequest) -> str:
    """The page's origin when it may ask; empty when there is none, as from a server."""
    origin = request.headers.get("Origin", "")
    if origin and origin not in origins():
        raise Refused(403, "Not for this page", f"{origin[:200]} is not among the pages that show messages.")
    return origin


def _with(response: HttpResponse, allowed: str, method: str) -> HttpResponse:
    response.headers["Vary"] = "Origin"
    response.headers["Cache-Control"] = "no-store"
    if allowed:
        response.headers["Access-Control-Allow-Origin"] = allowed
        response.headers["Access-Control-Allow-Methods"] = method
        response.headers["Access-Control-Allow-Headers"] = "authorization"
        response.headers["Access-Control-Max-Age"] = _REMEMBERED
    return response

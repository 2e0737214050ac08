"""`/in-app/v1/`: a user's messages, what the user did with them, and the script that shows them."""

from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_response_headers
from django.views.decorators.http import condition, require_safe

from keepwell.interfaces.api.in_app.readers import for_pages
from keepwell.interfaces.api.ingest.answers import Refused
from keepwell.interfaces.api.security import ApiRequest
from keepwell.services.team.outbox.in_app import Reader, reacted
from keepwell.services.team.outbox.in_app import feed as feed_of

_HOUR: Final = 3600


@for_pages("GET")
def feed(request: ApiRequest, reader: Reader) -> HttpResponse:
    """What the user has not put away, the newest first."""
    return JsonResponse({"messages": [asdict(one) for one in feed_of(reader, request.now)]})


@for_pages("POST")
def reaction(request: ApiRequest, reader: Reader, pk: int, kind: str) -> HttpResponse:
    """The user saw a message, put it away, or followed its link; said twice it counts once."""
    if not reacted(reader, pk, kind, request.now):
        raise Refused(404, "Not found", "There is no such message for this user.")
    return HttpResponse(status=204)


@lru_cache(maxsize=1)
def _script() -> tuple[bytes, str]:
    text = files("keepwell.interfaces.api.in_app").joinpath("in-app.js").read_bytes()
    return text, f'"{sha256(text).hexdigest()[:20]}"'


@require_safe
@condition(etag_func=lambda _: _script()[1])
def script(_: HttpRequest) -> HttpResponse:
    """The script for the product's pages; open to everybody, as it holds nothing."""
    response = HttpResponse(_script()[0], content_type="text/javascript; charset=utf-8")
    patch_response_headers(response, cache_timeout=_HOUR)
    response.headers["Cache-Control"] = f"public, max-age={_HOUR}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response

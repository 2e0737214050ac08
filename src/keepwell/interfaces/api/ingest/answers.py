"""What every address here has in common: POST only, problems as JSON, bodies of a limited size."""

import zlib
from collections.abc import Callable
from functools import wraps
from typing import Final, cast

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from keepwell.interfaces.api.problems import ProblemBody, Wrong, answer
from keepwell.interfaces.api.security import ApiRequest
from keepwell.services.ingest import JournalError

_BUSY: Final = "5"
_GZIP: Final = 31

View = Callable[..., HttpResponse]


class Refused(Exception):  # noqa: N818 - the request is refused, nothing failed
    """A request that is not taken; raised anywhere below a view."""

    def __init__(self, status: int, title: str, detail: str, errors: list[Wrong] | None = None, **headers: str) -> None:
        super().__init__(detail)
        self.body = ProblemBody(title=title, status=status, detail=detail, errors=errors or [])
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def receives(view: Callable[..., HttpResponse]) -> View:
    """A view that programs post to; a key or a signature stands for the cookie that CSRF is about."""

    @csrf_exempt
    @wraps(view)
    def received(request: HttpRequest, **arguments: str) -> HttpResponse:
        try:
            if request.method != "POST":
                raise Refused(405, "Method not allowed", "This address takes POST.", Allow="POST")
            return view(cast(ApiRequest, request), **arguments)
        except Refused as refused:
            return answer(refused.body, **refused.headers)
        except (JournalError, DatabaseError):
            said = "It could not be written down. Nothing is lost if you send it again."
            return answer(ProblemBody(title="Busy", status=503, detail=said), **{"Retry-After": _BUSY})

    return received


def body_of(request: HttpRequest, limit: int) -> bytes:
    """The body, unpacked; raises Refused when it is larger than `limit` bytes."""
    try:
        raw = request.body
    except RequestDataTooBig:
        raise _too_large(limit) from None
    except UnreadablePostError:
        raise Refused(400, "Request cannot be used", "The connection ended before the body did.") from None
    if request.headers.get("Content-Encoding", "").strip().lower() == "gzip":
        raw = _unpacked(raw, limit)
    if len(raw) > limit:
        raise _too_large(limit)
    return raw


def _unpacked(raw: bytes, limit: int) -> bytes:
    """No more than the limit is ever unpacked, whatever a few bytes promise."""
    try:
        return zlib.decompressobj(_GZIP).decompress(raw, limit + 1)
    except zlib.error:
        raise Refused(400, "Request cannot be used", "The body is not packed with gzip.") from None


def _too_large(limit: int) -> Refused:
    return Refused(413, "Too large", f"A body may have {limit // 1024} kB here. Send fewer or smaller events.")


def nowhere(request: HttpRequest, **_: str) -> HttpResponse:
    """No event is taken at this address."""
    said = f"There is nothing at {request.path}. Events go to /v1/track, identify, group, page and batch."
    return answer(ProblemBody(title="Not found", status=404, detail=said))

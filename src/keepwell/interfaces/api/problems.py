"""Errors as problem+json (RFC 9457)."""

import json
from math import ceil
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from pydantic import Field

from keepwell.services.published import NothingPublished
from keepwell.services.workspace import WorkspaceError
from keepwell.warehouse.lock import WarehouseBusy

_BUSY_SECONDS = 5


class Wrong(Schema):
    """One part of a request that cannot be used."""

    where: str = Field(description="The part: query.limit, body.note, …")
    message: str


class ProblemBody(Schema):
    """What went wrong, and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Wrong] = Field(default_factory=list)


class Problem(Exception):  # noqa: N818 - it is what the standard calls it
    """An answer that is a problem; raised anywhere below an operation."""

    def __init__(self, status: int, title: str, detail: str, errors: list[Wrong] | None = None) -> None:
        super().__init__(detail)
        self.body = ProblemBody(title=title, status=status, detail=detail, errors=errors or [])


PROBLEMS: dict[Any, Any] = dict.fromkeys((400, 401, 403, 404, 409, 422, 429, 503), ProblemBody)
"""The answers that every operation documents beside its own."""


def answer(body: ProblemBody, **headers: str) -> HttpResponse:
    """A problem as an answer."""
    text = json.dumps(body.model_dump(), ensure_ascii=False)
    return HttpResponse(text, status=body.status, content_type="application/problem+json", headers=headers)


def _plain(status: int, title: str, detail: str, **headers: str) -> HttpResponse:
    return answer(ProblemBody(title=title, status=status, detail=detail), **headers)


def register(api: NinjaAPI) -> None:
    """Let every known failure be answered as a problem."""

    @api.exception_handler(Problem)
    def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
        return answer(error.body)

    @api.exception_handler(ValidationError)
    def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        wrong = [Wrong(where=".".join(map(str, one["loc"])), message=str(one["msg"])) for one in error.errors]
        said = "; ".join(f"{one.where}: {one.message}" for one in wrong)
        return answer(ProblemBody(title="Request cannot be used", status=422, detail=said, errors=wrong))

    @api.exception_handler(AuthenticationError)
    def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        said = "Send a working token: Authorization: Bearer kw_… Tokens are made on the account page."
        return _plain(401, "Token is missing or does not work", said, **{"WWW-Authenticate": "Bearer"})

    @api.exception_handler(Throttled)
    def _throttled(request: HttpRequest, error: Throttled) -> HttpResponse:
        wait = str(ceil(error.wait or 1))
        return _plain(429, "Too many requests", f"Try again in {wait} seconds.", **{"Retry-After": wait})

    @api.exception_handler(Http404)
    def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return _plain(404, "Not found", "There is nothing here, or this token may not see it.")

    @api.exception_handler(HttpError)
    def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return _plain(error.status_code, "Request cannot be used", str(error))

    @api.exception_handler(NothingPublished)
    def _nothing(request: HttpRequest, error: NothingPublished) -> HttpResponse:
        return _plain(409, "Nothing is published yet", str(error))

    @api.exception_handler(WarehouseBusy)
    def _busy(request: HttpRequest, error: WarehouseBusy) -> HttpResponse:
        return _plain(503, "Busy", str(error), **{"Retry-After": str(_BUSY_SECONDS)})

    @api.exception_handler(WorkspaceError)
    def _refused(request: HttpRequest, error: WorkspaceError) -> HttpResponse:
        return _plain(409, "Not possible", str(error))

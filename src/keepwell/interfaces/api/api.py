"""The API as a whole: its routers, its OpenAPI document, and answers that are always JSON."""

import logging
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

from keepwell.interfaces.api import (
    administration,
    alerts,
    checklists,
    customers,
    data,
    jobs,
    models,
    notes,
    offers,
    opportunities,
    outbox,
    own_segments,
    people,
    playbooks,
    segments,
    support,
    suppressions,
    surveys,
    tasks,
    views,
)
from keepwell.interfaces.api.limits import A_MINUTE, TokenRate
from keepwell.interfaces.api.problems import ProblemBody, answer, register
from keepwell.interfaces.api.refusals import register_refusals
from keepwell.interfaces.api.security import READ
from keepwell.interfaces.workspace import converters

_LOG: Final = logging.getLogger("keepwell.api")
_PROBLEM: Final = {"$ref": "#/components/schemas/ProblemBody"}
_ABOUT: Final = f"""Everything that the workspace shows and does, for programs.

Send `Authorization: Bearer kw_…` with a token from your account page; it acts as you, within its scopes. Errors are
problem+json (RFC 9457). A change with an `Idempotency-Key` happens once however often it is sent. Each token may make
{A_MINUTE} requests a minute. Amounts are in the workspace's currency, those of single subscriptions and of a timeline
in the customer's; moments in UTC; unknown values are null."""


class _Encoder(NinjaJSONEncoder):
    """Published moments carry no zone because all are UTC; here they say so."""

    def default(self, o: Any) -> Any:
        if isinstance(o, datetime) and o.tzinfo is None:
            return f"{o.isoformat()}Z"
        return super().default(o)


class _Renderer(JSONRenderer):
    encoder_class = _Encoder


class KeepwellApi(NinjaAPI):
    """Operations are named by their functions; problems have their own content type."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's name."""
        return operation.view_func.__name__

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """The document, with problem+json where problems are answered."""
        schema = super().get_openapi_schema(**kwargs)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for found in operation["responses"].values():
                    _as_problem(found)
        return schema


def _as_problem(found: dict[str, Any]) -> None:
    content = found.get("content", {}).get("application/json")
    if content and content["schema"] == _PROBLEM:
        found["content"] = {"application/problem+json": content}


api = KeepwellApi(
    title="Keepwell",
    version="1",
    description=_ABOUT,
    docs_url=None,
    urls_namespace="api",
    auth=READ,
    throttle=[TokenRate()],
    renderer=_Renderer(),
)
register(api)
register_refusals(api)


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: written to the log, and answered without its details."""
    _LOG.error("%s %s failed", request.method, request.path, exc_info=error)
    said = "This is a fault of the workspace, not of the request. Its log says more."
    return answer(ProblemBody(title="Something went wrong", status=500, detail=said))


converters.register()
api.add_router("/customers", notes.router)
api.add_router("/customers", tasks.of_customer)
api.add_router("/customers", customers.router)
api.add_router("/portfolio", customers.portfolio)
api.add_router("/tasks", tasks.router)
api.add_router("/alerts", alerts.router)
api.add_router("/views", views.router)
api.add_router("/segments", segments.router)
api.add_router("/workspace-segments", own_segments.router)
api.add_router("/segment-evaluations", own_segments.trying)
api.add_router("/model", models.router)
api.add_router("/data", data.router)
api.add_router("/offers", offers.router)
api.add_router("/opportunities", opportunities.router)
api.add_router("/playbooks", playbooks.router)
api.add_router("/runs", playbooks.runs)
api.add_router("/approvals", playbooks.approvals)
api.add_router("/surveys", surveys.router)
api.add_router("/checklists", checklists.router)
api.add_router("/support", support.router)
api.add_router("/jobs", jobs.router)
api.add_router("", outbox.router)
api.add_router("/suppressions", suppressions.router)
api.add_router("/me", people.mine)
api.add_router("", people.router)
api.add_router("", administration.router)


@csrf_exempt
def unknown(request: HttpRequest, **_: Any) -> HttpResponse:
    """No operation has this address."""
    said = f"There is nothing at {request.path}. All addresses are in /api/v1/openapi.json."
    return answer(ProblemBody(title="Not found", status=404, detail=said))


def _only_json(pattern: Any) -> Any:
    """Let a method that an address does not have be answered as a problem, too."""
    view = pattern.callback

    @csrf_exempt  # a token is no cookie
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found: HttpResponseBase = view(request, *args, **kwargs)
        if found.status_code != 405:
            return found
        allowed = found["Allow"]
        said = f"This address takes {allowed}."
        return answer(ProblemBody(title="Method not allowed", status=405, detail=said), Allow=allowed)

    pattern.callback = checked
    return pattern


_patterns, _app, _namespace = api.urls
urls: Final = ([_only_json(one) for one in _patterns], _app, _namespace)

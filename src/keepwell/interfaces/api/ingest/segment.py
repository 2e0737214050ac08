"""`/v1/track`, `identify`, `group`, `page` and `batch`, as Segment's libraries send them."""

import uuid
from typing import Any, Final

from django.http import HttpResponse, JsonResponse

from keepwell.interfaces.api.ingest import keys
from keepwell.interfaces.api.ingest.answers import Refused, body_of, receives
from keepwell.interfaces.api.ingest.keys import write_key
from keepwell.interfaces.api.ingest.writing import written
from keepwell.interfaces.api.problems import Wrong
from keepwell.interfaces.api.security import ApiRequest
from keepwell.services.ingest import Accepted, Rejected, checked
from keepwell.services.ingest.messages import BATCH_BYTES, EVENT_BYTES, parsed

_PASSED_ON: Final = ("context", "sentAt", "integrations")
_MOST_ERRORS: Final = 20


@receives
def message(request: ApiRequest, kind: str) -> HttpResponse:
    """One message; on disk when it is answered."""
    token = write_key(request)
    body = _parsed(body_of(request, EVENT_BYTES))
    keys.ALLOWANCE.take(token.pk, 1)
    try:
        accepted = checked(body, kind, received_at=request.now, fallback_id=_new_id())
    except Rejected as error:
        raise _refused(error) from None
    return _answer(written([accepted], request.now))


@receives
def batch(request: ApiRequest) -> HttpResponse:
    """Many messages; those that cannot be used are named, the others are on disk when it is answered."""
    token = write_key(request)
    body = _parsed(body_of(request, BATCH_BYTES))
    items = body.get("batch") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise Refused(400, "Request cannot be used", 'Send {"batch": [ … ]} with messages in it.')
    keys.ALLOWANCE.take(token.pk, len(items))
    accepted, errors = _checked(items, {name: body[name] for name in _PASSED_ON if name in body}, request)
    new = written(accepted, request.now)
    if errors:
        said = f"{len(errors)} of {len(items)} messages cannot be used; the others were taken. The first: "
        said += f"{errors[0].where} {errors[0].message}"
        raise Refused(400, "Some messages cannot be used", said, errors[:_MOST_ERRORS])
    return _answer(new)


def _checked(items: list[Any], common: dict[str, Any], request: ApiRequest) -> tuple[list[Accepted], list[Wrong]]:
    accepted: list[Accepted] = []
    errors: list[Wrong] = []
    for number, item in enumerate(items):
        # What a batch says beside its messages holds for each that does not say it itself.
        whole = {**common, **item} if isinstance(item, dict) else item
        try:
            accepted.append(checked(whole, None, received_at=request.now, fallback_id=_new_id()))
        except Rejected as error:
            where = f"batch.{number}.{error.where}" if error.where else f"batch.{number}"
            errors.append(Wrong(where=where, message=error.said))
    return accepted, errors


def _parsed(raw: bytes) -> Any:
    try:
        return parsed(raw)
    except Rejected as error:
        raise Refused(400, "Request cannot be used", error.said) from None


def _refused(error: Rejected) -> Refused:
    where = error.where or "The message"
    status, title = (413, "Too large") if error.too_large else (400, "Request cannot be used")
    return Refused(status, title, f"{where} {error.said}.", [Wrong(where=error.where or "message", message=error.said)])


def _answer(new: list[bool]) -> HttpResponse:
    return JsonResponse({"success": True, "accepted": sum(new), "repeated": len(new) - sum(new)})


def _new_id() -> str:
    """A name for a message that has none; sent again, it is another one."""
    return f"keepwell-{uuid.uuid4()}"

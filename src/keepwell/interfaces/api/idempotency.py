"""Idempotency-Key: a change that is sent twice happens once, and is answered twice."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.db import IntegrityError, transaction
from ninja import Status
from pydantic import BaseModel

from keepwell.interfaces.api.problems import Problem
from keepwell.interfaces.api.security import ApiRequest
from keepwell.store.models import IdempotentAnswer

HEADER = "Idempotency-Key"
_LONGEST = 255
Arguments = ParamSpec("Arguments")
Operation = Callable[Concatenate[ApiRequest, Arguments], Any]


def idempotent(operation: Operation[Arguments]) -> Operation[Arguments]:
    """Change and kept answer are one transaction: a kill between them leaves neither."""

    @wraps(operation)
    def once(request: ApiRequest, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Any:
        key = request.headers.get(HEADER, "")
        if not key:
            return operation(request, *args, **kwargs)
        if len(key) > _LONGEST:
            raise Problem(400, "Key is too long", f"An {HEADER} has at most {_LONGEST} characters.")
        digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
        with transaction.atomic():
            kept = _reserved(request, key, digest)
            if kept is not None:
                return _again(kept, digest)
            result = operation(request, *args, **kwargs)
            status, body = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
            IdempotentAnswer.objects.filter(person=request.user, key=key).update(status=status, body=_plain(body))
        return result

    return cast(Operation[Arguments], once)


def _reserved(request: ApiRequest, key: str, digest: str) -> IdempotentAnswer | None:
    """The earlier answer, or None after the key was taken for this request."""
    try:
        with transaction.atomic():
            IdempotentAnswer.objects.create(person=request.user, key=key, request_digest=digest, made_at=request.now)
    except IntegrityError:
        return IdempotentAnswer.objects.get(person=request.user, key=key)
    return None


def _again(kept: IdempotentAnswer, digest: str) -> Any:
    if kept.request_digest != digest:
        raise Problem(422, "Key was used", f"This {HEADER} was used for another request. Use a new one.")
    return Status(kept.status, kept.body)


def _plain(body: Any) -> Any:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json")
    return json.loads(json.dumps(body, default=str))

"""Addresses that nothing is sent to, or no marketing: for programs that hear of them elsewhere."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, PersonBrief, Pk, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import SWITCH, ApiRequest, Token, acting
from keepwell.services.team.access import Action
from keepwell.services.team.outbox.suppression import allow, suppress, suppressions
from keepwell.store.models import Suppression

router = Router(tags=["Outbox"])
LISTED: Final = Token("read", Action.SWITCH_PLAYBOOKS)

Scope = Literal["all", "marketing"]
Why = Literal["unsubscribed", "bounced", "complained", "by_hand"]
Reason = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\u0000]*$")]


class SuppressionFilter(Schema):
    """Which addresses."""

    search: Word = Field("", description="A part of an address.")
    why: Why | None = None
    scope: Scope | None = None


class SuppressBody(Schema):
    """Whom not to write to. What stands there for everything is never narrowed to marketing."""

    address: Annotated[str, Field(min_length=3, max_length=320, pattern=r"^[^\u0000]*$")]
    scope: Scope = Field("all", description="marketing leaves personal messages and those of the service.")
    why: Why = Field("by_hand", description="How it came about, where another program knows.")
    note: Word = ""


class AllowBody(Schema):
    """Why an address may be written to again; the audit log keeps it."""

    reason: Reason


class SuppressionBody(Schema):
    """An address on the list, and how it came there."""

    id: int
    address: str
    scope: Scope
    why: Why
    note: str
    at: datetime
    added_by: PersonBrief | None = Field(description="Null for what providers and customers said.")

    @classmethod
    def of(cls, row: Suppression) -> "SuppressionBody":
        """A row of the list."""
        person = row.added_by
        added = PersonBrief(id=person.pk, email=person.email, name=person.shown_name) if person else None
        plain = {name: getattr(row, name) for name in cls.model_fields if name not in ("id", "added_by")}
        return cls(**plain, id=row.pk, added_by=added)


@router.get("", response={200: Page[SuppressionBody], **PROBLEMS}, auth=LISTED)
def list_suppressions(
    request: ApiRequest, filters: Annotated[SuppressionFilter, Query()], limit: Limit, offset: Offset
) -> Any:
    """The addresses that are not written to, the newest first."""
    found = suppressions(filters.search, why=filters.why or "", scope=filters.scope or "")
    shown = [SuppressionBody.of(row) for row in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.get("/{int:suppression_id}", response={200: SuppressionBody, **PROBLEMS}, auth=LISTED)
def get_suppression(request: ApiRequest, suppression_id: Pk) -> Any:
    """One address of the list."""
    return SuppressionBody.of(_row(suppression_id))


@router.post("", response={201: SuppressionBody, **PROBLEMS}, auth=SWITCH, openapi_extra=KEYED)
@idempotent
def add_suppression(request: ApiRequest, body: SuppressBody) -> Any:
    """Do not write to an address; one that is on the list already stays as it is."""
    row = suppress(acting(request), body.address, why=body.why, scope=body.scope, note=body.note, now=request.now)
    return Status(201, SuppressionBody.of(_row(row.pk)))


@router.post("/{int:suppression_id}/remove", response={204: None, **PROBLEMS}, auth=SWITCH, openapi_extra=KEYED)
@idempotent
def remove_suppression(request: ApiRequest, suppression_id: Pk, body: AllowBody) -> Any:
    """Write to an address again; people whom the list made `unsubscribed` are so no longer from the next run on."""
    allow(acting(request), _row(suppression_id).pk, request.now, reason=body.reason)
    return Status(204, None)


def _row(suppression_id: int) -> Suppression:
    found = suppressions().filter(pk=suppression_id).first()
    if found is None:
        raise Problem(404, "Not found", "This address is not on the list.")
    return found

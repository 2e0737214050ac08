"""Notes on customers."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Customer, Long, PersonBrief, Pk
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting, seen_customer
from keepwell.services.team.notes import note_add, note_edit, note_remove, notes_of

router = Router(tags=["Notes"])


class NoteBody(Schema):
    """A note."""

    id: int
    customer_id: str
    text: str
    written_by: PersonBrief | None
    written_at: datetime
    edited_at: datetime | None


class NoteText(Schema):
    """What a note says."""

    text: Annotated[Long, Field(min_length=1)]


@router.get("/{customer:customer_id}/notes", response={200: Page[NoteBody], **PROBLEMS}, auth=READ)
def list_notes(request: ApiRequest, customer_id: Customer, limit: Limit, offset: Offset) -> Any:
    """The notes on a customer, the newest first."""
    found = notes_of(seen_customer(request, customer_id))
    shown = [NoteBody.from_orm(note) for note in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.post("/{customer:customer_id}/notes", response={201: NoteBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def create_note(request: ApiRequest, customer_id: Customer, body: NoteText) -> Any:
    """Write a note."""
    seen_customer(request, customer_id)
    note = note_add(acting(request), customer_id=customer_id, text=body.text, now=request.now)
    return Status(201, NoteBody.from_orm(note))


@router.put(
    "/{customer:customer_id}/notes/{note_id}", response={200: NoteBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED
)
@idempotent
def update_note(request: ApiRequest, customer_id: Customer, note_id: Pk, body: NoteText) -> Any:
    """Change one's own note."""
    seen_customer(request, customer_id)
    note = note_edit(acting(request), note_id, customer_id=customer_id, text=body.text, now=request.now)
    return NoteBody.from_orm(note)


@router.delete("/{customer:customer_id}/notes/{note_id}", response={204: None, **PROBLEMS}, auth=WORK)
def delete_note(request: ApiRequest, customer_id: Customer, note_id: Pk) -> Any:
    """Remove one's own note; the audit log keeps what it said."""
    seen_customer(request, customer_id)
    note_remove(acting(request), note_id, customer_id=customer_id, now=request.now)
    return Status(204, None)

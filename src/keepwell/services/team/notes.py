"""Notes on customers: anybody who works on a customer writes them; only who wrote one changes or removes it."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from keepwell.services.team.audit import Actor, record
from keepwell.store.models import Note

LONGEST: Final = 10_000
_SHOWN: Final = 80


class NoteError(Exception):
    """A note that cannot be kept or changed; the message says why."""


def notes_of(customer_id: str) -> QuerySet[Note]:
    """The notes on a customer that were not removed, the newest first."""
    kept = Note.objects.filter(customer_id=customer_id, removed_at=None)
    return kept.select_related("written_by").order_by("-written_at", "-pk")


@transaction.atomic
def note_add(who: Actor, *, customer_id: str, text: str, now: datetime) -> Note:
    """Write a note on a customer; the caller has checked that the actor may see it."""
    note = Note.objects.create(customer_id=customer_id, text=_kept(text), written_by=who.person, written_at=now)
    record(
        who,
        at=now,
        action="note.added",
        kind="note",
        object_id=note.pk,
        summary=f"Wrote a note on {customer_id}: {_short(note.text)}",
        customer_id=customer_id,
        after=note.as_values(),
    )
    return note


@transaction.atomic
def note_edit(who: Actor, note_id: int, *, customer_id: str, text: str, now: datetime) -> Note:
    """Change one's own note; the text before stays in the audit log."""
    note = _own(who, note_id, customer_id)
    before, kept = note.as_values(), _kept(text)
    if kept == note.text:
        return note
    note.text, note.edited_at = kept, now
    note.save(update_fields=["text", "edited_at"])
    record(
        who,
        at=now,
        action="note.edited",
        kind="note",
        object_id=note.pk,
        summary=f"Changed a note on {customer_id}: {_short(kept)}",
        customer_id=customer_id,
        before=before,
        after=note.as_values(),
    )
    return note


@transaction.atomic
def note_remove(who: Actor, note_id: int, *, customer_id: str, now: datetime) -> None:
    """Remove one's own note from the page; the audit log keeps what it said."""
    note = _own(who, note_id, customer_id)
    note.removed_at = now
    note.save(update_fields=["removed_at"])
    record(
        who,
        at=now,
        action="note.removed",
        kind="note",
        object_id=note.pk,
        summary=f"Removed a note on {customer_id}: {_short(note.text)}",
        customer_id=customer_id,
        before=note.as_values(),
    )


def _own(who: Actor, note_id: int, customer_id: str) -> Note:
    """The note when it is there and the actor's; locked, so that two changes follow each other."""
    # Whoever wrote it need not be joined: PostgreSQL locks no rows that may be absent.
    found = Note.objects.select_for_update().filter(pk=note_id, customer_id=customer_id, removed_at=None).first()
    if found is None:
        raise NoteError("This note was removed already.")
    if who.person is None or found.written_by_id != who.person.pk:
        raise NoteError("Only who wrote a note can change or remove it.")
    return found


def _kept(text: str) -> str:
    """The text as it is kept: without space around it, with one kind of line break."""
    clean = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not clean:
        raise NoteError("Write something first: the note is empty.")
    if len(clean) > LONGEST:
        raise NoteError(f"A note has at most {LONGEST:,} characters; this one has {len(clean):,}.")
    return clean


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"

"""Notes: who may write, change and remove them, and what the audit log keeps."""

from datetime import timedelta

import pytest

from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.notes import LONGEST, NoteError, note_add, note_edit, note_remove, notes_of
from keepwell.store.models import AuditEntry, Note, Role
from tests.web import NOW, MakePerson

pytestmark = pytest.mark.django_db
CUSTOMER = "c-00001"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def writer(person: MakePerson) -> Actor:
    return actor(person(Role.CSM))


@pytest.fixture
def written(writer: Actor) -> Note:
    return note_add(writer, customer_id=CUSTOMER, text="  Wants\r\na call  ", now=NOW)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_note_is_kept_as_written_but_for_space_around_it(written: Note, writer: Actor) -> None:
    assert (written.text, written.written_by, written.written_at) == ("Wants\na call", writer.person, NOW)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.customer_id, entry.after) == ("note.added", CUSTOMER, {"text": "Wants\na call"})


@pytest.mark.parametrize("text", ["", "  \n\t", "\x00", "x" * (LONGEST + 1)])
def test_what_cannot_be_kept_is_refused_in_words(writer: Actor, text: str) -> None:
    with pytest.raises(NoteError, match=r"empty|at most 10,000"):
        note_add(writer, customer_id=CUSTOMER, text=text, now=NOW)
    assert not Note.objects.exists()
    assert not actions()


def test_an_edit_keeps_the_text_before_in_the_audit_log(written: Note, writer: Actor) -> None:
    note_edit(writer, written.pk, customer_id=CUSTOMER, text="Called", now=LATER)
    written.refresh_from_db()
    assert (written.text, written.edited_at) == ("Called", LATER)
    entry = AuditEntry.objects.get(action="note.edited")
    assert (entry.before, entry.after) == ({"text": "Wants\na call"}, {"text": "Called"})


def test_an_edit_that_changes_nothing_is_no_change(written: Note, writer: Actor) -> None:
    note_edit(writer, written.pk, customer_id=CUSTOMER, text="Wants\r\na call\n", now=LATER)
    written.refresh_from_db()
    assert written.edited_at is None
    assert actions() == ["note.added"]


def test_a_removed_note_is_gone_from_the_page_and_stays_in_the_log(written: Note, writer: Actor) -> None:
    note_remove(writer, written.pk, customer_id=CUSTOMER, now=LATER)
    assert not notes_of(CUSTOMER).exists()
    assert AuditEntry.objects.get(action="note.removed").before == {"text": "Wants\na call"}
    with pytest.raises(NoteError, match="removed already"):
        note_remove(writer, written.pk, customer_id=CUSTOMER, now=LATER)
    with pytest.raises(NoteError, match="removed already"):
        note_edit(writer, written.pk, customer_id=CUSTOMER, text="Back", now=LATER)


@pytest.mark.parametrize("role", list(Role))
def test_nobody_changes_the_note_of_another(written: Note, person: MakePerson, role: str) -> None:
    other = actor(person(role))
    for change in (
        lambda: note_edit(other, written.pk, customer_id=CUSTOMER, text="Mine", now=LATER),
        lambda: note_remove(other, written.pk, customer_id=CUSTOMER, now=LATER),
        lambda: note_remove(Actor("worker"), written.pk, customer_id=CUSTOMER, now=LATER),
    ):
        with pytest.raises(NoteError, match="Only who wrote"):
            change()
    assert notes_of(CUSTOMER).get().text == "Wants\na call"
    assert actions() == ["note.added"]


def test_a_note_is_found_under_its_own_customer_only(written: Note, writer: Actor) -> None:
    with pytest.raises(NoteError):
        note_edit(writer, written.pk, customer_id="c-00002", text="Elsewhere", now=LATER)
    assert not notes_of("c-00002").exists()


def test_the_newest_comes_first(written: Note, writer: Actor) -> None:
    later = note_add(writer, customer_id=CUSTOMER, text="Second", now=LATER)
    assert list(notes_of(CUSTOMER)) == [later, written]

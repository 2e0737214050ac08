"""The pages of data: who may, what they say, and the whole way of a bad row until it is loaded."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from keepwell.services.published import customer_timeline, data_status, quarantine_rows
from keepwell.services.team.sync import inbox_files, inbox_of
from keepwell.services.workspace import Workspace, workspace_init
from keepwell.store.models import AuditEntry, Job, WorkspaceSetting
from tests.web import MakeClient

from .data_world import faulty_workspace, work_off

pytestmark = pytest.mark.django_db
READ = ("data", "data_coverage", "data_loads", "data_quarantine")
MANAGED = ("data_rows", "data_identities")
CHANGED = ("data_upload", "data_inbox_remove", "data_retry", "data_replace", "data_link", "data_unlink")


@pytest.fixture
def faulty(published: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    workspace = faulty_workspace(tmp_path)
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(workspace.root))
    return workspace


@pytest.fixture
def ops(faulty: Workspace, client_of: MakeClient) -> Client:
    return client_of("ops")


def text_of(client: Client, name: str, *arguments: object, **values: str) -> str:
    answer = client.get(reverse(name, args=arguments), values)
    assert answer.status_code == 200
    return answer.content.decode()


def tickets(workspace: Workspace, customer: str) -> set[str]:
    return {entry.ref for entry in customer_timeline(workspace, customer, kinds=("ticket",)).entries}


def late_tickets(workspace: Workspace) -> dict[str, str]:
    (group,) = (one for one in data_status(workspace).quarantine if one.column == "created_at")
    return {"table": group.table, "code": group.code, "column": group.column or "", "reason": group.reason}


@pytest.mark.parametrize("role", ["viewer", "csm", "manager"])
def test_everybody_reads_the_state_and_only_ops_see_rows_and_change(client_of: MakeClient, role: str) -> None:
    client = client_of(role)
    for name in READ:
        assert client.get(reverse(name)).status_code == 200
    for name in MANAGED:
        assert client.get(reverse(name)).status_code == 403
    assert client.get(reverse("data_row", args=["key"])).status_code == 403
    for name in CHANGED:
        assert client.post(reverse(name)).status_code == 403
    shown = client.get(reverse("data")).content.decode()
    assert "Upload" not in shown
    assert reverse("data_identities") not in shown
    assert not Job.objects.exists()


def test_freshness_says_what_stale_means(ops: Client) -> None:
    shown = text_of(ops, "data")
    assert "A table is stale when the last day it covers" in shown
    assert all(words in shown for words in ("tickets", "Never delivered", "Last load", "Upload and load"))


def test_coverage_has_numbers_beside_its_bars(ops: Client) -> None:
    shown = text_of(ops, "data_coverage")
    assert 'role="img"' in shown
    assert "of 3 customers" in shown
    assert "data-width" in shown
    assert "known for everybody" in shown
    assert shown.index("Known</strong>") < shown.index('aria-label="known')


def test_loads_are_listed_by_file(ops: Client) -> None:
    shown = text_of(ops, "data_loads")
    assert "tickets.csv" in shown
    assert str(settings.KEEPWELL_WORKSPACE) not in shown


def test_a_bad_row_is_corrected_and_is_there(ops: Client, faulty: Workspace) -> None:
    assert "tickets: created_at" in text_of(ops, "data_quarantine")
    listed = text_of(ops, "data_rows", **late_tickets(faulty))
    row = next(row for row in quarantine_rows(faulty, column="created_at").rows if row.row["ticket_id"] == "t-4")
    assert "line 5" in listed
    assert reverse("data_row", args=[row.key]) in listed
    assert 'value="yesterday"' in text_of(ops, "data_row", row.key)
    cells = {f"cell-{at}": value or "" for at, value in enumerate(row.row.values())}
    cells[f"cell-{list(row.row).index('created_at')}"] = "2026-06-04 08:00"
    asked = ops.post(reverse("data_row", args=[row.key]), cells)
    job = Job.objects.get()
    assert asked.headers["Location"] == reverse("job", args=[job.pk])
    assert job.arguments["corrections"] == {row.key: {"created_at": "2026-06-04 08:00"}}
    done = work_off(faulty)
    assert (done.state, done.counts["rows loaded"], done.counts["rows waiting"]) == (Job.State.DONE, 1, 4)
    assert tickets(faulty, "c-2") == {"t-4"}
    entry = AuditEntry.objects.get(action="data.corrected")
    assert (entry.before, entry.after) == ({"created_at": "yesterday"}, {"created_at": "2026-06-04 08:00"})
    assert ops.get(reverse("data_row", args=[row.key])).status_code == 404
    page = ops.get(reverse("job", args=[job.pk])).content.decode()
    assert "Correct line 5 of tickets" in page
    assert "Back to the data" in page


def test_a_value_is_replaced_in_the_whole_column(ops: Client, faulty: Workspace) -> None:
    group = late_tickets(faulty)
    shown = text_of(ops, "data_rows", **group)
    assert "<code>yesterday</code>" in shown
    given = {**group, "old": ["yesterday", "soon"], "new": ["2026-06-05", ""]}
    assert ops.post(reverse("data_replace"), given).status_code == 302
    done = work_off(faulty)
    assert (done.counts["rows tried"], done.counts["rows loaded"]) == (2, 2)
    assert tickets(faulty, "c-2") == {"t-4", "t-5"}
    assert {row.value for row in quarantine_rows(faulty, column="created_at").rows} == {"soon"}


def test_replacing_nothing_is_refused_with_what_to_do(ops: Client, faulty: Workspace) -> None:
    group = late_tickets(faulty)
    answer = ops.post(reverse("data_replace"), {**group, "old": ["soon"], "new": [" "]})
    assert answer.status_code == 422
    assert "Enter what should stand there" in answer.content.decode()
    assert ops.post(reverse("data_replace"), {"old": "a", "new": "b"}).status_code == 404
    assert not Job.objects.exists()


def test_rows_that_are_still_wrong_say_so(ops: Client, faulty: Workspace) -> None:
    ops.post(reverse("data_retry"), late_tickets(faulty))
    done = work_off(faulty)
    assert (done.state, done.counts["rows tried"]) == (Job.State.PROBLEMS, 3)
    assert "still wrong" in done.warnings[-1]


def test_chosen_rows_and_all_rows_are_tried_again(ops: Client, faulty: Workspace) -> None:
    key = quarantine_rows(faulty).rows[0].key
    ops.post(reverse("data_retry"), {"key": [key], "chosen": "1"})
    assert work_off(faulty).counts["rows tried"] == 1
    ops.post(reverse("data_retry"))
    assert work_off(faulty).counts["rows tried"] == 5
    nothing = ops.post(reverse("data_retry"), {"chosen": "1", **late_tickets(faulty)}, follow=True)
    assert "Choose rows first" in nothing.content.decode()


def test_what_waits_already_is_not_asked_for_twice(ops: Client) -> None:
    ops.post(reverse("data_retry"))
    ops.post(reverse("data_retry"))
    assert Job.objects.count() == 1
    assert "Being worked on" in text_of(ops, "data")


def test_an_id_is_linked_by_hand_and_the_link_is_undone(ops: Client, faulty: Workspace) -> None:
    shown = text_of(ops, "data_identities")
    assert "the same id but for case and punctuation" in shown
    assert ops.post(reverse("data_link"), {"unknown_id": "C_1", "customer_id": "c-1"}).status_code == 302
    assert work_off(faulty).counts == {"rows loaded": 1}
    assert tickets(faulty, "c-1") == {"t-1", "t-2"}
    entry = AuditEntry.objects.get(action="data.linked")
    assert (entry.customer_id, entry.object_id) == ("c-1", "C_1")
    linked = text_of(ops, "data_identities")
    assert "Linked by hand" in linked
    assert ops.post(reverse("data_unlink"), {"unknown_id": "C_1"}).status_code == 302
    assert work_off(faulty).counts == {"links forgotten": 1}
    assert AuditEntry.objects.filter(action="data.unlinked").exists()
    assert "Linked by hand" not in text_of(ops, "data_identities")
    again = ops.post(reverse("data_unlink"), {"unknown_id": "C_1"}, follow=True)
    assert "not linked any more" in again.content.decode()


@pytest.mark.parametrize(
    ("unknown", "customer", "said"),
    [("nobody", "c-9", "There is no customer"), ("c-2", "c-1", "is a customer itself"), ("nobody", "", "Enter the id")],
)
def test_a_link_that_cannot_be_is_refused(ops: Client, unknown: str, customer: str, said: str) -> None:
    answer = ops.post(reverse("data_link"), {"unknown_id": unknown, "customer_id": customer})
    assert answer.status_code == 422
    assert not Job.objects.exists()
    if unknown == "nobody":
        assert said in answer.content.decode()


def test_a_customer_is_found_by_its_name(ops: Client, faulty: Workspace) -> None:
    ops.post(reverse("data_link"), {"unknown_id": "nobody", "customer_id": "gamma"})
    assert Job.objects.get().arguments["customer_id"] == "c-3"


def file(name: str, text: str = "ticket_id,customer_id,created_at\nt-9,c-3,2026-06-09\n") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def test_an_upload_lies_in_the_inbox_and_is_loaded(ops: Client, faulty: Workspace) -> None:
    answer = ops.post(
        reverse("data_upload"), {"files": [file("tickets.csv"), file("survey_responses_2026.csv", "bad\n1\n")]}
    )
    assert answer.headers["Location"] == reverse("job", args=[Job.objects.get().pk])
    assert {path.name for path in inbox_files(faulty)} == {"tickets.csv", "survey_responses_2026.csv"}
    assert AuditEntry.objects.filter(action="data.uploaded").count() == 2
    assert "Waiting in the inbox" in text_of(ops, "data")
    assert work_off(faulty).kind == Job.Kind.LOAD
    assert tickets(faulty, "c-3") == {"t-9"}


def test_a_file_that_cannot_be_read_is_put_aside(ops: Client, faulty: Workspace) -> None:
    ops.post(reverse("data_upload"), {"files": file("survey_responses_2026.csv", "bad\n1\n")})
    (inbox_of(faulty) / "crm.map.yaml").write_text("nonsense: [")
    work_off(faulty)
    shown = ops.get(reverse("data"))
    problems = {one.name: one.problem for one in shown.context["waiting"]}
    assert set(problems) == {"survey_responses_2026.csv", "crm.map.yaml"}
    assert "survey_responses_2026.csv" in problems["survey_responses_2026.csv"]
    assert problems["crm.map.yaml"]
    for name in ("../keepwell.toml", "nothing.csv", "done", ""):
        ops.post(reverse("data_inbox_remove"), {"name": name})
    assert not AuditEntry.objects.filter(action="data.removed").exists()
    for name in problems:
        assert ops.post(reverse("data_inbox_remove"), {"name": name}).status_code == 302
    entries = AuditEntry.objects.filter(action="data.removed").order_by("object_id")
    assert [entry.object_id for entry in entries] == ["crm.map.yaml", "survey_responses_2026.csv"]
    assert (inbox_of(faulty) / entries[1].after["kept"]).read_text() == "bad\n1\n"
    assert not inbox_files(faulty)
    assert "Waiting in the inbox" not in text_of(ops, "data")


def test_a_file_of_the_same_name_that_waits_is_not_lost(ops: Client, faulty: Workspace) -> None:
    for day in ("09", "10"):
        text = f"ticket_id,customer_id,created_at\nt-{day},c-3,2026-06-{day}\n"
        ops.post(reverse("data_upload"), {"files": file("tickets.csv", text)})
    assert len(inbox_files(faulty)) == 2
    work_off(faulty)
    assert tickets(faulty, "c-3") == {"t-09", "t-10"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("report.csv", "a\n1\n", "name the file after its table"),
        ("tickets.pdf", "a", "says no format"),
        ("tickets.csv", "", "is empty"),
        (".tickets.csv", "a\n1\n", "does not begin with a dot"),
    ],
)
def test_files_that_say_nothing_are_refused_and_leave_nothing(
    ops: Client, faulty: Workspace, name: str, text: str, said: str
) -> None:
    answer = ops.post(reverse("data_upload"), {"files": [file("tickets.csv"), file(name, text)]})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert list(inbox_of(faulty).iterdir()) == []
    assert not Job.objects.exists()


def test_no_file_and_too_large_files_are_refused(ops: Client, faulty: Workspace) -> None:
    assert "Choose at least one" in ops.post(reverse("data_upload")).content.decode()
    WorkspaceSetting.objects.create(name="upload_mb", value=1)
    for size in (1_000_500, 2_000_000):
        answer = ops.post(reverse("data_upload"), {"files": file("tickets.csv", "x" * size)})
        assert answer.status_code == 413
        assert "At most 1 MB" in answer.content.decode()
    assert not list(inbox_of(faulty).iterdir())


def test_uploads_are_checked_for_their_origin(faulty: Workspace, client_of: MakeClient) -> None:
    person = client_of("ops").person  # type: ignore[attr-defined]
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    assert strict.post(reverse("data_upload"), {"files": file("tickets.csv")}).status_code == 403
    assert not inbox_files(faulty)


def test_nothing_published_yet_offers_the_upload(
    client_of: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_init(tmp_path / "new", pack="b2b-saas")
    client = client_of("ops")
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(workspace.root))
    shown = text_of(client, "data")
    assert "No day has been computed yet" in shown
    assert "Upload and load" in shown


def test_a_broken_line_is_shown_and_sent_back_to_its_file(ops: Client, faulty: Workspace) -> None:
    ops.post(reverse("data_upload"), {"files": file("tickets.ndjson", '{"ticket_id": <b>\n')})
    work_off(faulty)
    (row,) = (row for row in quarantine_rows(faulty).rows if row.file.endswith("tickets.ndjson"))
    shown = text_of(ops, "data_row", row.key)
    assert "could not be read as a row" in shown
    assert "&lt;b&gt;" in shown
    assert ops.post(reverse("data_row", args=[row.key]), {"cell-0": "x"}).status_code == 422

"""Runs and approvals: timelines, the inbox, and who may see whose."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keepwell.model.definitions import Model
from keepwell.services.planning.sources import current_model
from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows
from keepwell.services.team.audit import Actor
from keepwell.services.team.offering.policies import Policy, policies_change
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, AuditEntry, Happening, Offer, Person, PlaybookRun
from tests.playbook_rows import question_of, run_of
from tests.web import NOW, MakeClient

pytestmark = pytest.mark.django_db
NAME = "revenue_at_risk"


@pytest.fixture
def rows(published: Workspace) -> list[PortfolioRow]:
    return [row for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email]


@pytest.fixture
def model(published: Workspace) -> Model:
    return current_model(published).model


def text(client: Client, address: str, status: int = 200) -> str:
    part = {"HX-Request": "true"} if address.startswith("/customers/") and address.endswith("/playbooks") else {}
    answer = client.get(address, headers=part)
    assert answer.status_code == status, address
    return answer.content.decode().replace("&amp;", "&").replace("&#x27;", "'")


def asked(model: Model, row: PortfolioRow, **fields: Any) -> Approval:
    return question_of(run_of(model, NAME, row, until="ask"), row, **fields)


def test_a_run_tells_what_was_done_and_what_it_waits_for(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    run = run_of(model, NAME, rows[0], until="day")
    run.effects.filter(kind="task").update(result={"task": 12, "linked": True})
    run.effects.filter(kind="message").update(result={"refused": "nobody there has an address"})
    page = text(client_of("ops"), f"/playbooks/runs/{run.pk}")
    assert f"1. URGENT: Call {rows[0].customer_id}" in page
    assert 'href="/tasks/12"' in page
    assert "(open already)" in page
    assert "Not done: nobody there has an address" in page
    assert "Waits: 24 hours" in page
    assert "1 Jul 2026, 09:00" in page
    assert f"Then 4. No answer for 24 hours: call {rows[0].name} again" in page
    assert page.count("kw-flow-now") == 1
    assert page.count("kw-flow-done") == 2
    asking = run_of(model, NAME, rows[1], until="ask")
    title = asking.effects.get(kind="approval").details["question"]
    page = text(client_of("ops"), f"/playbooks/runs/{asking.pk}")
    assert f"Waits for the answer of a manager: {title}" in page
    assert "[" not in title
    assert "Approved: 9. A pause of up to 3 months" in page


def test_a_run_is_stopped_once(client_of: MakeClient, rows: list[PortfolioRow], model: Model) -> None:
    run = run_of(model, NAME, rows[0])
    owner = client_of("csm", email="boss@example.com", owner_aliases=[rows[0].owner_email])
    assert client_of("viewer").post(f"/playbooks/runs/{run.pk}/stop").status_code == 403
    assert "Stopped for" in owner.post(f"/playbooks/runs/{run.pk}/stop", follow=True).content.decode()
    run.refresh_from_db()
    assert run.ended_at is not None
    assert run.reason.startswith("cancelled by")
    assert "It had ended already" in owner.post(f"/playbooks/runs/{run.pk}/stop", follow=True).content.decode()


def test_the_customer_page_has_its_playbooks(client_of: MakeClient, rows: list[PortfolioRow], model: Model) -> None:
    row = rows[0]
    owner = client_of("csm", email="boss@example.com", owner_aliases=[row.owner_email])
    assert f'hx-get="/customers/{row.customer_id}/playbooks"' in text(owner, f"/customers/{row.customer_id}")
    assert "No playbook has run" in text(owner, f"/customers/{row.customer_id}/playbooks")
    alone = owner.get(f"/customers/{row.customer_id}/playbooks")
    assert (alone.status_code, alone["Location"]) == (302, f"/customers/{row.customer_id}#playbooks")
    run = run_of(model, NAME, row, until="day")
    old = run_of(model, "power_user", row)
    PlaybookRun.objects.filter(pk=old.pk).update(ended_at=NOW, reason="reply", phase="ended", responded_at=NOW)
    page = text(owner, f"/customers/{row.customer_id}/playbooks")
    assert "Waits: 24 hours" in page
    assert f"/playbooks/runs/{run.pk}/stop" in page
    assert "Reply, 30 Jun 2026, 09:00" in page
    assert f'<option value="{NAME}">' not in page, "it is in it already"
    assert '<option value="power_user">' in page
    viewer = text(client_of("viewer"), f"/customers/{row.customer_id}/playbooks")
    assert "Start a playbook" not in viewer
    assert "/stop" not in viewer


def test_an_approver_answers_with_a_note(client_of: MakeClient, rows: list[PortfolioRow], model: Model) -> None:
    first, second = asked(model, rows[0]), asked(model, rows[1])
    boss = client_of("admin")
    page = text(boss, "/approvals")
    assert first.question in page
    assert "<strong>Approved:</strong> offer “A pause of up to 3 months”" in page
    assert "task “Decide what happens with" in page
    assert "Renewal" in page
    htmx = {"HX-Request": "true", "HX-Target": "approvals"}
    answer = boss.post(f"/approvals/{first.pk}/answer", {"answer": "yes", "note": "Two months"}, headers=htmx)
    assert f"Approved for {rows[0].name}" in answer.content.decode().replace("&amp;", "&")
    first.refresh_from_db()
    assert (first.state, first.note, first.decided_by) == ("given", "Two months", boss.person)  # type: ignore[attr-defined]
    assert Happening.objects.get().kind == "approval_given"
    assert AuditEntry.objects.filter(object_kind="approval", object_id=str(first.pk)).count() == 1
    late = boss.post(f"/approvals/{first.pk}/answer", {"answer": "no"}, headers=htmx)
    assert late.status_code == 409
    assert b"was quicker" in late.content
    boss.post(f"/approvals/{second.pk}/answer", {"answer": "no"})
    second.refresh_from_db()
    assert second.state == "refused"
    wrong = boss.post(f"/approvals/{asked(model, rows[2]).pk}/answer", {"answer": "maybe"}, headers=htmx)
    assert (wrong.status_code, Approval.objects.filter(state="open").count()) == (409, 1)
    assert "Approved by" in text(boss, f"/approvals/{first.pk}")
    assert "“Two months”" in text(boss, f"/approvals/{first.pk}")


def test_who_may_not_approve_sees_and_does_nothing(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    one = asked(model, rows[0])
    owner = client_of("csm", email="boss@example.com", owner_aliases=[rows[0].owner_email])
    page = text(owner, "/approvals")
    assert "Waiting for somebody else" in page
    assert "Nobody in the workspace may answer this yet. Managers, CS-ops and admins answer questions." in page
    client_of("admin", email="ann@example.com", name="Ann Admin")
    page = text(owner, "/approvals")
    assert "Waits for Ann Admin. Managers, CS-ops and admins answer questions." in page
    assert one.question in page
    assert 'name="answer"' not in page
    assert owner.post(f"/approvals/{one.pk}/answer", {"answer": "yes"}).status_code == 403
    assert Approval.objects.get().state == "open"


def test_buttons_are_for_those_who_may_answer_and_the_others_read_why(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    own, theirs = asked(model, rows[0]), asked(model, rows[1], kind="offer")
    manager = client_of(
        "manager", email="mia@example.com", name="Mia", owner_aliases=[rows[0].owner_email, rows[1].owner_email]
    )
    ops = client_of("ops", email="ola@example.com", name="Ola")
    offer_of(theirs, manager.person)  # type: ignore[attr-defined]
    page = text(manager, "/approvals")
    assert page.count('value="yes"') == 1
    assert f"/approvals/{own.pk}/answer" in page
    assert f"/approvals/{theirs.pk}/answer" not in page
    assert "Waits for Ola. You asked for this offer, so somebody else approves it." in page
    assert "Waits for Ola." in text(manager, f"/approvals/{theirs.pk}")
    page = text(ops, "/approvals")
    assert page.count('value="yes"') == 2
    assert "Waiting for somebody else" not in page
    policies_change(Actor("test"), {"pause": Policy(approves="admin", largest={"months": 3})}, NOW)
    assert "Nobody in the workspace may answer this yet. Offers of this kind are approved by admin" in text(
        ops, f"/approvals/{theirs.pk}"
    )


def offer_of(question: Approval, by: Person) -> Offer:
    return Offer.objects.create(
        key=f"offer-{question.pk}", kind="pause", customer_id=question.customer_id, company=question.company,
        title="A pause", state=Offer.State.ASKED, approval=question, offered_by=by, made_at=NOW,
        expires_at=NOW + timedelta(days=7),
    )  # fmt: skip


def test_a_stranger_learns_nothing_of_runs_and_questions(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    row = rows[0]
    one = asked(model, row)
    closed = asked(model, rows[1], state="given", decided_at=NOW)
    strangers = (client_of("csm", email="stranger@example.com"), client_of("manager", email="other@example.com"))
    for stranger in strangers:
        for address in (
            f"/playbooks/runs/{one.run_id}",
            f"/approvals/{one.pk}",
            f"/customers/{row.customer_id}/playbooks",
        ):
            assert row.name not in text(stranger, address, 404)
        assert stranger.post(f"/playbooks/runs/{one.run_id}/stop").status_code == 404
        for address in ("/approvals", "/playbooks", f"/playbooks/{NAME}", f"/playbooks/{NAME}/runs"):
            page = text(stranger, address)
            assert row.name not in page
            assert closed.company not in page
        assert stranger.get("/playbooks").context["running"] == 0
        assert stranger.get("/playbooks").context["open_approvals"] == 0
    assert strangers[1].post(f"/approvals/{one.pk}/answer", {"answer": "yes"}).status_code == 404
    assert Approval.objects.get(pk=one.pk).state == "open"
    assert PlaybookRun.objects.filter(ended_at=None).count() == 2


def test_pages_ask_the_database_as_often_for_three_as_for_one(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    boss = client_of("admin")
    addresses = ("/approvals", f"/customers/{rows[0].customer_id}/playbooks")
    asked(model, rows[0])
    counts = []
    for _ in range(2):
        for address in addresses:
            text(boss, address)
        with CaptureQueriesContext(connection) as found:
            text(boss, addresses[0])
        counts.append(len(found))
        asked(model, rows[1])
        asked(model, rows[2])
        rows = [*rows[:1], *rows[3:]]
    assert counts[0] == counts[1] <= 8


def test_hostile_words_stay_words(client_of: MakeClient, rows: list[PortfolioRow], model: Model) -> None:
    one = asked(model, rows[0], question="<script>alert(1)</script>", company="<b>Acme</b>")
    PlaybookRun.objects.filter(approvals=one.pk).update(company="<b>Acme</b>", reason="<i>")
    boss = client_of("admin")
    for address in ("/approvals", f"/approvals/{one.pk}", f"/playbooks/runs/{one.run_id}", f"/playbooks/{NAME}/runs"):
        page = boss.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<b>Acme" not in page

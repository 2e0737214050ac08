"""Pages of playbooks: the list, one, its budget and switch, its messages, starting by hand."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keepwell.model.definitions import Model
from keepwell.services.planning.sources import current_model, model_sources
from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows
from keepwell.services.team.audit import actor
from keepwell.services.team.playing.budgets import budget_ask, budget_of, run_budget
from keepwell.services.team.playing.plays import keep_version, plays_of
from keepwell.services.team.playing.switches import switch, switched_on
from keepwell.services.team.running import Running
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Job, PlaybookHeldOut, PlaybookRun
from tests.playbook_rows import run_of
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
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def replayed(who: Any, workspace: Workspace, name: str) -> Job:
    """A budget as the worker leaves it."""
    job = budget_ask(actor(who), workspace, name, NOW)
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, attempts=1)
    job.refresh_from_db()
    done = run_budget(Running(workspace, job, lambda: NOW))
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, result=done.result, finished_at=NOW)
    job.refresh_from_db()
    return job


def test_the_list_says_how_each_playbook_goes(
    client_of: MakeClient, published: Workspace, rows: list[PortfolioRow], model: Model
) -> None:
    ops = client_of("ops")
    for number, row in enumerate(rows[:4]):
        run = run_of(model, NAME, row)
        if number < 2:
            PlaybookRun.objects.filter(pk=run.pk).update(
                ended_at=NOW, phase="ended", responded_at=NOW if number else None
            )
    PlaybookHeldOut.objects.create(playbook="engagement_drop", customer_id=rows[0].customer_id, at=NOW)
    lines = {line.name: line for line in ops.get("/playbooks").context["lines"]}
    assert list(lines) == list(model.playbooks)
    figures = lines[NAME].figures
    assert (figures.running, figures.done, figures.response_rate, figures.success_rate) == (2, 2, 0.25, 0.0)
    assert lines["engagement_drop"].figures.held_out == 1
    assert lines["power_user"].figures.response_rate is None
    assert not lines[NAME].on
    switch(actor(ops.person), published, NAME, True, NOW)  # type: ignore[attr-defined]
    page = text(ops, "/playbooks?show=on")
    assert "A customer enters Revenue at risk" in page
    assert "Power user" not in page
    assert [line.name for line in ops.get("/playbooks?show=running").context["lines"]] == [NAME]
    assert [line.name for line in ops.get("/playbooks?find=power").context["lines"]] == ["power_user"]
    assert "No playbook fits" in text(ops, "/playbooks?find=zzz")


def test_a_playbook_that_the_model_has_no_longer_keeps_its_runs(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    run = run_of(model, NAME, rows[0])
    PlaybookRun.objects.filter(pk=run.pk).update(playbook="old_ladder", version="x")
    ops = client_of("ops")
    assert "Not in the model" in text(ops, "/playbooks")
    assert rows[0].name in text(ops, "/playbooks/old_ladder/runs").replace("&amp;", "&")
    assert "no longer in the model" in text(ops, f"/playbooks/runs/{run.pk}")
    text(ops, "/playbooks/old_ladder", 404)
    text(ops, "/playbooks/never_was/runs", 404)


def test_a_playbook_shows_steps_messages_rules_and_the_drawing(client_of: MakeClient, model: Model) -> None:
    page = text(client_of("csm"), f"/playbooks/{NAME}")
    assert page.count('class="kw-flow-box') == len(model.playbooks[NAME].steps) + 2
    assert "Refused, or no answer within 1 business day" in page
    assert "Again after 30 days." in page
    assert f"/playbooks/{NAME}/messages/retention_offer" in page
    assert "Budget and switch on" not in page, "a CSM switches nothing"
    assert "It has not run yet: it is switched off." in page


def test_nobody_switches_on_what_nobody_saw(
    client_of: MakeClient, published: Workspace, rows: list[PortfolioRow], model: Model
) -> None:
    ops = client_of("ops")
    address = f"/playbooks/{NAME}/switch"
    assert "What would it ask of the team?" in text(ops, address)
    refused = ops.post(address, {"to": "on"}, follow=True).content.decode()
    assert "Look at its alert budget first" in refused
    assert not switched_on()
    assert ops.post(f"/playbooks/{NAME}/budget").status_code == 302
    assert "You can leave this page" in text(ops, address)
    again = budget_ask(actor(ops.person), published, NAME, NOW)  # type: ignore[attr-defined]
    assert Job.objects.filter(kind=Job.Kind.BUDGET).count() == 1, "one that is under way is not asked for again"
    Job.objects.filter(pk=again.pk).update(state=Job.State.FAILED, error="at least two published days are needed")
    assert "at least two published days" in text(ops, address)
    job = replayed(ops.person, published, NAME)  # type: ignore[attr-defined]
    page = text(ops, address)
    assert job.result["runs"] > 0
    assert "Week by week" in page
    assert "Switch it on" in page
    assert ops.post(address, {"to": "on"}).status_code == 302
    assert switched_on() == {NAME}
    assert AuditEntry.objects.filter(action="playbook.switched_on", object_id=NAME).count() == 1


def test_a_budget_of_another_version_does_not_count(client_of: MakeClient, published: Workspace, model: Model) -> None:
    ops = client_of("ops")
    job = replayed(ops.person, published, NAME)  # type: ignore[attr-defined]
    Job.objects.filter(pk=job.pk).update(arguments={**job.arguments, "version": "another"})
    page = text(ops, f"/playbooks/{NAME}/switch")
    assert "was changed since this replay" in page
    assert "Switch it on" not in page
    ops.post(f"/playbooks/{NAME}/switch", {"to": "on"})
    assert not switched_on()
    assert not budget_of(published, model, NAME).same


def test_switching_off_asks_what_becomes_of_runs(
    client_of: MakeClient, published: Workspace, rows: list[PortfolioRow], model: Model
) -> None:
    ops = client_of("ops")
    runs = [run_of(model, NAME, row) for row in rows[:2]]
    address = f"/playbooks/{NAME}/switch"
    for answer, left in (("keep", 2), ("stop", 0)):
        switch(actor(ops.person), published, NAME, True, NOW)  # type: ignore[attr-defined]
        assert "2 runs are under way" in text(ops, address)
        ops.post(address, {"to": "off", "runs": answer})
        assert not switched_on()
        assert PlaybookRun.objects.filter(pk__in=[run.pk for run in runs], ended_at=None).count() == left


@pytest.mark.parametrize("role", ["viewer", "csm", "manager"])
def test_only_operations_switch(client_of: MakeClient, role: str) -> None:
    client = client_of(role)
    for address in (f"/playbooks/{NAME}/switch", f"/playbooks/{NAME}/budget"):
        assert client.get(address).status_code in (403, 405)
        assert client.post(address, {"to": "on"}).status_code == 403


def test_a_message_is_shown_with_a_real_customer(client_of: MakeClient, rows: list[PortfolioRow], model: Model) -> None:
    address = f"/playbooks/{NAME}/messages/executive_letter"
    csm = client_of("csm", email="boss@example.com", owner_aliases=[rows[0].owner_email])
    page = text(csm, f"{address}?customer={rows[0].customer_id}")
    assert rows[0].name in page.replace("&amp;", "&")
    assert "{{" not in page
    assert "Let us get this right" in page
    found = text(csm, f"{address}?find={rows[0].customer_id}")
    assert rows[0].name in found.replace("&amp;", "&")
    assert "No customer whom you see" in text(csm, f"{address}?find=zzzz")
    text(csm, f"/playbooks/{NAME}/messages/payment_failed", 404)
    stranger = client_of("csm", email="stranger@example.com")
    text(stranger, f"{address}?customer={rows[0].customer_id}", 404)
    assert rows[0].name not in text(stranger, f"{address}?find={rows[0].customer_id}")


def test_a_letter_is_shown_as_it_leaves_in_a_sealed_frame(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    address = f"/playbooks/{NAME}/messages/retention_offer"
    csm = client_of("csm", email="boss@example.com", owner_aliases=[rows[0].owner_email])
    answer = csm.get(f"{address}?customer={rows[0].customer_id}")
    page = answer.content.decode()
    frame = re.search(r'<iframe[^>]* sandbox=""[^>]* src="([^"]+)"', page)
    assert frame is not None
    assert "frame-src 'self'" in answer["Content-Security-Policy"]
    assert "<dd>Alex Morgan" in page, "the executive, as the step says"
    assert "As plain text" in page
    letter = csm.get(html.unescape(frame[1]))
    policy = letter["Content-Security-Policy"]
    assert ("sandbox" in policy, "script-src" in policy, "default-src 'none'" in policy) == (True, False, True)
    shown = letter.content.decode()
    assert "<!doctype html" in shown.lower()
    assert "See the offer" in shown
    assert "until 14 July 2026" in shown, "what the step offers is filled in"
    stranger = client_of("csm", email="stranger@example.com")
    text(stranger, html.unescape(frame[1]), 404)
    text(csm, f"/playbooks/{NAME}/messages/payment_failed/html?customer={rows[0].customer_id}", 404)


def test_a_playbook_is_started_by_hand(client_of: MakeClient, published: Workspace, rows: list[PortfolioRow]) -> None:
    row = rows[0]
    csm = client_of("csm", email="boss@example.com", owner_aliases=[row.owner_email])
    address = "/playbooks/champion_left/start"
    assert f'value="{row.customer_id}"' in text(csm, f"{address}?find={row.customer_id}")
    answer = csm.post(address, {"customer": row.customer_id})
    run = PlaybookRun.objects.get()
    assert answer.headers["Location"] == f"/playbooks/runs/{run.pk}"
    assert (run.customer_id, run.playbook) == (row.customer_id, "champion_left")
    assert AuditEntry.objects.filter(action="playbook.started", customer_id=row.customer_id).exists()
    again = csm.post(
        f"/customers/{row.customer_id}/playbooks/start", {"playbook": "champion_left"}, headers={"HX-Request": "true"}
    )
    assert again.status_code == 422
    assert b"Not started: the customer" in again.content
    stranger = client_of("csm", email="stranger@example.com")
    assert stranger.post(address, {"customer": row.customer_id}).status_code == 404
    assert client_of("viewer").post(address, {"customer": row.customer_id}).status_code == 403
    assert PlaybookRun.objects.count() == 1


def test_pages_ask_the_database_as_often_for_three_as_for_one(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model
) -> None:
    ops = client_of("ops")
    lists = ("/playbooks", f"/playbooks/{NAME}", f"/playbooks/{NAME}/runs", f"/playbooks/{NAME}/start")

    def counts() -> list[int]:
        return [_queries(ops, address) for address in lists]

    run_of(model, NAME, rows[0], until="ask")
    counts()
    one = counts()
    for row in rows[1:3]:
        run_of(model, NAME, row, until="day", at=NOW + timedelta(hours=1))
    assert counts() == one
    assert max(one) <= 9


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        text(client, address)
    return len(found)


def test_a_model_that_cannot_be_read_is_told_and_runs_go_on(
    client_of: MakeClient, rows: list[PortfolioRow], model: Model, monkeypatch: pytest.MonkeyPatch, published: Workspace
) -> None:
    ops = client_of("ops")
    kept = plays_of(published).current(NAME)
    assert kept is not None
    keep_version(kept, NOW)
    run = run_of(model, NAME, rows[0])
    broken = dict(model_sources(published))
    broken["playbooks.yaml"] += "  nobody: {trigger: {signal: nothing}, steps: []}\n"
    monkeypatch.setattr("keepwell.services.planning.sources.read_sources", lambda _: broken)
    monkeypatch.setattr("keepwell.services.planning.sources._signature", lambda _: (("changed", 0, 0, 0),))
    page = text(ops, "/playbooks", 409)
    assert "The model cannot be read" in page
    assert "playbooks.yaml:" in page
    page = text(ops, f"/playbooks/runs/{run.pk}")
    assert "Let us get this right" in page
    assert "no longer in the model" not in page

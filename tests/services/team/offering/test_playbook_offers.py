"""Offers of playbooks: within the rules, after an approval, with the link in their message."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from keepwell.services.team.audit import Actor
from keepwell.services.team.here import workspace
from keepwell.services.team.offering.policies import DEFAULTS, policies_change
from keepwell.services.team.offering.sending import offer_url
from keepwell.services.team.offers import offer_accept, offer_decline, offer_withdraw, offers_turn
from keepwell.services.team.playing import turn
from keepwell.services.team.playing.approvals import approval_decide
from keepwell.store.models import Approval, AuditEntry, Offer, Outgoing, PlaybookEffect, PlaybookRun
from tests.services.team.playing.stage import Stage, plain_message, workspace_with

pytestmark = pytest.mark.django_db
WHO = Actor("ops@example.com")
ADA = Actor("Ada")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a workspace with one playbook of these steps."""

    def make(steps: str, *, more: str = "") -> Stage:
        text = f"p:\n  trigger: {{manual: true}}\n  re_entry: {{}}\n{more}  steps:\n{steps}"
        workspace = workspace_with(tmp_path / "stage", text)
        monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(workspace.root))
        return Stage(workspace).on("p")

    turn._resting.clear()
    return make


PAUSE = "    - {offer: {kind: pause, months: 2, title: A pause}, message: hello}\n"
TRIAL = "    - {offer: {kind: trial, days: 30, title: A trial}, message: hello}\n"


def test_what_money_feels_waits_for_an_approval_and_its_message_too(here: Any) -> None:
    stage = here(PAUSE)
    stage.start()
    offer, question = Offer.objects.get(), Approval.objects.get()
    assert (offer.state, question.kind, question.run) == ("asked", "offer", offer.run)
    assert not Outgoing.objects.filter(audience="customer").exists()
    approval_decide(WHO, question.pk, True, "", stage.now + timedelta(hours=1))
    offer.refresh_from_db()
    assert offer.state == "open"
    assert set(AuditEntry.objects.filter(object_kind="offer").values_list("action", flat=True)) == {
        "offer.asked",
        "offer.made",
    }


def test_a_refused_offer_is_no_contact(here: Any) -> None:
    stage = here(PAUSE)
    stage.start()
    approval_decide(WHO, Approval.objects.get().pk, False, "too dear", stage.now)
    assert Offer.objects.get().state == "refused"
    assert PlaybookEffect.objects.get(kind="offer").result["refused"] == "too dear"


def test_what_the_rules_let_playbooks_offer_leaves_with_its_link(here: Any) -> None:
    stage, seen = here(TRIAL), []

    def compose(*args: Any, **more: Any) -> list[Outgoing]:
        seen.append(more["offer"]["url"])
        return plain_message(*args)

    stage.compose = compose
    stage.start()
    offer = Offer.objects.get()
    assert (offer.state, seen) == ("open", [offer_url(offer)])
    assert offer.to_email == "c1@customer.example"


def test_an_approval_of_the_playbook_is_enough(here: Any) -> None:
    stage = here(f"    - {{approval: 'Offer it?', within: 2d, refused: end}}\n{PAUSE}")
    stage.start()
    approval_decide(WHO, Approval.objects.get().pk, True, "", stage.now)
    stage.turn()
    assert Offer.objects.get().state == "open"
    assert Approval.objects.count() == 1


def test_limits_hold_for_playbooks_and_the_run_goes_on(here: Any) -> None:
    stage = here(TRIAL + "    - {task: 'Call {company}'}\n")
    policies_change(WHO, {"trial": DEFAULTS["preview"].__class__(playbooks=True, largest={"days": 10})}, stage.now)
    run = stage.start()
    assert not Offer.objects.exists()
    effect = PlaybookEffect.objects.get(kind="offer")
    assert "10 days are the most" in effect.result["refused"]
    assert PlaybookEffect.objects.filter(kind="task").exists()
    run.refresh_from_db()
    assert run.reason == "done"


@pytest.mark.parametrize("answer", [offer_accept, offer_decline])
def test_an_answer_ends_what_a_reply_ends(here: Any, answer: Any) -> None:
    stage = here(TRIAL + "    - {wait: 3d}\n    - {task: 'Call {company}'}\n", more="  stop_on: [reply]\n")
    run = stage.start()
    stage.after(hours=1)
    answer(ADA, stage.workspace, Offer.objects.get().pk, name="Ada", note="", how="here", now=stage.now)
    stage.turn()
    run.refresh_from_db()
    assert (run.reason, run.responded_at) == ("reply", stage.now)


def test_an_accepted_offer_starts_what_waits_for_it(here: Any, tmp_path: Path) -> None:
    stage = here(TRIAL)
    model = tmp_path / "stage" / "model" / "model.yaml"
    text = "  q:\n    trigger: {event: offer_accepted}\n    steps: [{task: 'Welcome {company}'}]\n"
    model.write_text(model.read_text() + text)
    stage.on("q")
    stage.start()
    stage.after(hours=1)
    offer_accept(ADA, stage.workspace, Offer.objects.get().pk, name="Ada", note="", how="here", now=stage.now)
    stage.turn()
    assert PlaybookRun.objects.filter(playbook="q").count() == 1


def test_a_run_that_is_stopped_takes_its_question_along(here: Any) -> None:
    stage = here(PAUSE + "    - {wait: 3d}\n", more="  stop_on: [reply]\n")
    stage.start()
    stage.after(hours=1).happens("response", "reply")
    assert (Offer.objects.get().state, Approval.objects.get().state) == ("withdrawn", "gone")


def taken_back(pk: int, now: Any) -> None:
    offer_withdraw(WHO, pk, version=Offer.objects.get(pk=pk).version, why="a mistake", now=now)


def said_yes(pk: int, now: Any) -> None:
    offer_accept(ADA, workspace(), pk, name="Ada", note="", how="by phone", now=now)


def said_no(pk: int, now: Any) -> None:
    offer_decline(ADA, workspace(), pk, name="Ada", note="", how="by phone", now=now)


def time_passes(pk: int, now: Any) -> None:
    assert offers_turn(workspace(), Offer.objects.get(pk=pk).expires_at) == 1


@pytest.mark.parametrize("closes", [taken_back, said_yes, said_no, time_passes])
def test_a_message_that_waits_does_not_leave_once_its_offer_is_closed(here: Any, closes: Any) -> None:
    stage = here(TRIAL + "    - {wait: 60d}\n")
    stage.start()
    row = Outgoing.objects.get(audience="customer")
    assert row.state == "waiting"
    closes(Offer.objects.get().pk, stage.now + timedelta(hours=1))
    row.refresh_from_db()
    assert row.state == "cancelled"
    assert "The offer" in row.error

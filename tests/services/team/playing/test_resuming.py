"""An outcome that is taken back: what it stopped goes on where it stood, unless something else happened since."""

from datetime import timedelta

import pytest

from keepwell.playbooks.events import Happened
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.resuming import Resumed, resume_runs
from keepwell.store.models import (
    Approval,
    AuditEntry,
    Happening,
    Offer,
    Outgoing,
    PlaybookEffect,
    PlaybookRun,
    PlaybookTimer,
    Task,
)
from tests.playbooks.plays import MONDAY
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import BEGINNING, WHO, Stage

pytestmark = pytest.mark.django_db
LADDER = BEGINNING + "    - {name: second, email: hello}\n"


def stopped(here: Stage, name: str = "resolved") -> str:
    """An outcome stops the run; the key under which it was heard."""
    here.happens(Happened.OUTCOME, name)
    heard = Happening.objects.order_by("-pk").first()
    assert heard is not None
    assert PlaybookRun.objects.get().ended_at is not None
    return heard.key


def taken_back(here: Stage, key: str) -> Resumed:
    return resume_runs(WHO, "c1", key, here.now, look=here.look, compose=here.compose)


@pytest.mark.parametrize("name", ["resolved", "lost"])
def test_a_run_goes_on_where_it_stood_and_waits_no_longer_than_it_would_have(stage: MakeStage, name: str) -> None:
    here = stage(LADDER)
    run = here.start()
    key = stopped(here.after(hours=10), name)
    assert Outgoing.objects.get().state == "cancelled"
    here.now += timedelta(minutes=5)
    assert taken_back(here, key) == Resumed(("Ladder",))
    run.refresh_from_db()
    assert (run.ended_at, run.reason, run.step, run.phase) == (None, "", "pause", "waiting")
    assert PlaybookTimer.objects.get().due_at == MONDAY + timedelta(days=1)
    assert (Outgoing.objects.get().state, Outgoing.objects.get().error) == ("waiting", "")
    assert AuditEntry.objects.filter(action="playbook.resumed", object_id=str(run.pk)).count() == 1
    here.after(hours=14)
    assert Task.objects.get().title.startswith("Call")
    assert taken_back(here, key) == Resumed(), "it is taken back once"


def test_a_second_stop_counts_as_the_first_did(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    taken_back(here, stopped(here.after(hours=1)))
    here.after(hours=1).happens(Happened.RESPONSE, "reply")
    run.refresh_from_db()
    assert run.reason == "reply"
    assert Outgoing.objects.get().state == "cancelled"
    assert PlaybookEffect.objects.filter(run=run, kind="end").count() == 2
    assert not PlaybookTimer.objects.exists()


def test_the_question_that_was_closed_is_asked_again_once(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    key = stopped(here.after(hours=25))
    assert Approval.objects.get().state == "gone"
    taken_back(here, key)
    question = Approval.objects.get()
    assert (question.state, question.decided_at) == ("open", None)
    here.happens(Happened.APPROVAL_GIVEN, "Mara", run=PlaybookRun.objects.get(), data={"asked": question.key})
    assert Outgoing.objects.filter(step="second").count() == 1


def test_who_has_not_heard_it_never_will(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    happened("c1", Happened.OUTCOME, name="resolved", key="outcome:7", at=here.now)
    assert taken_back(here, "outcome:7") == Resumed()
    here.turn()
    run.refresh_from_db()
    assert run.ended_at is None


def test_what_happened_since_keeps_it_stopped(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    key = stopped(here)
    here.happens(Happened.RESPONSE, "reply")
    found = taken_back(here, key)
    assert found.stays == (("Ladder", "something else happened since"),)
    assert found.words == "Ladder stays stopped: something else happened since."
    assert PlaybookRun.objects.get().ended_at is not None
    assert not AuditEntry.objects.filter(action="playbook.resumed").exists()


def test_what_is_true_today_keeps_it_stopped(stage: MakeStage) -> None:
    here = stage(LADDER.replace("[reply, outcome]", "[reply, outcome, signal_off]"))
    here.start()
    key = stopped(here)
    here.knows(signals=frozenset())
    assert taken_back(here, key).stays == (("Ladder", "signal off"),)
    assert PlaybookRun.objects.get().reason == "outcome: resolved"


def test_a_run_that_began_anew_and_one_whose_offer_was_withdrawn_stay_stopped(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    key = stopped(here)
    effect = PlaybookEffect.objects.get(run=run, kind="end")
    effect.result = {"withdrawn": 1}
    effect.save()
    assert taken_back(here, key).stays == (("Ladder", "its offer was withdrawn"),)
    assert not Offer.objects.exists()
    PlaybookRun.objects.create(
        playbook="p", version=run.version, customer_id="c1", company="Acme", entry=2, started_at=here.now,
        started_by="test", state={}, phase="ended",
    )  # fmt: skip
    assert taken_back(here, key).stays == (("Ladder", "it began anew since"),)

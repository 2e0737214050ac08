"""Questions of playbooks: closed by a stop, expired, answered once."""

from datetime import timedelta

import pytest

from keepwell.playbooks.events import Happened
from keepwell.services.team.playing.approvals import ApprovalRefused, approval_decide
from keepwell.services.team.playing.timelines import run_timeline
from keepwell.store.models import Approval, Offer, PlaybookRun
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import WHO
from tests.services.team.playing.test_turn import LADDER
from tests.web import MakePerson

pytestmark = pytest.mark.django_db


def test_a_stop_closes_the_question(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    here.after(hours=24)
    question = Approval.objects.get()
    here.happens(Happened.OUTCOME, "lost")
    question.refresh_from_db()
    assert question.state == "gone"
    with pytest.raises(ApprovalRefused, match="no longer needed"):
        approval_decide(WHO, question.pk, True, "", here.now)
    run.refresh_from_db()
    assert run.reason == "customer lost"


def test_nobody_answers_and_the_question_expires(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    here.after(days=4)
    assert Approval.objects.get().get_state_display() == "Nobody answered in time"
    assert PlaybookRun.objects.get().ended_at is not None
    assert not Offer.objects.exists()


def test_a_question_that_expired_on_the_way_expired_although_something_stops_the_run_later(stage: MakeStage) -> None:
    here = stage(LADDER.replace("refused: end", "refused: again") + '    - {name: again, approval: "And {company}?"}\n')
    here.start()
    here.after(days=4)
    here.happens(Happened.OUTCOME, "lost")
    assert list(Approval.objects.order_by("pk").values_list("state", flat=True)) == ["expired", "gone"]


def test_what_the_approver_noted_stands_beside_the_answer(stage: MakeStage) -> None:
    here = stage(LADDER)
    run = here.start()
    here.after(hours=24)
    approval_decide(WHO, Approval.objects.get().pk, False, "They had it twice", here.now)
    here.turn()
    run.refresh_from_db()
    asked, *_, answered = (moment for moment in run_timeline(run).moments if moment.step == "ask")
    assert answered.what == "refused by ops@example.com: “They had it twice”"
    assert answered.title == asked.title != ""


def test_a_question_is_answered_once(stage: MakeStage, person: MakePerson) -> None:
    here = stage(LADDER)
    here.start()
    here.after(hours=24)
    question = Approval.objects.get()
    approval_decide(WHO, question.pk, False, "", here.now)
    with pytest.raises(ApprovalRefused, match="closed"):
        approval_decide(WHO, question.pk, True, "", here.now)
    here.turn()
    assert not Offer.objects.exists()


def test_an_answer_that_comes_too_late_is_refused_although_no_worker_saw_the_end(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    here.after(hours=24)
    question = Approval.objects.get()
    assert question.due_at is not None
    with pytest.raises(ApprovalRefused, match="time for an answer is over"):
        approval_decide(WHO, question.pk, True, "", question.due_at + timedelta(seconds=1))
    assert approval_decide(WHO, question.pk, True, "", question.due_at).state == "given"
    here.now = question.due_at + timedelta(seconds=1)
    here.turn()
    assert Offer.objects.exists(), "who answers at the last moment answers in time"

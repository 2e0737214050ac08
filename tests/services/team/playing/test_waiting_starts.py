"""What starts a playbook while nobody can read the model waits until somebody can."""

from pathlib import Path

import pytest

from keepwell.services.team.playing import starts
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.team.playing.starts import start_from_event
from keepwell.store.models import Happening, PlaybookRun, PlaybookTimer
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import BEGINNING, Stage

pytestmark = pytest.mark.django_db


def unreadable(stage: Stage) -> tuple[Path, str]:
    """Leave the model in the middle of a change; its file and what stood in it."""
    path = stage.workspace.model_dir / "model.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text("metrics: [", encoding="utf-8")
    return path, before


def called(stage: Stage, customer: str) -> None:
    data = {"by": "a test", "trigger": True}
    happened(customer, "start", name="p", key=f"start:{customer}", at=stage.now, data=data)


def test_a_start_waits_until_the_model_can_be_read(stage: MakeStage) -> None:
    here = stage(BEGINNING)
    path, before = unreadable(here)
    called(here, "c1")
    assert here.turn() == 0
    assert not PlaybookRun.objects.exists()
    path.write_text(before, encoding="utf-8")
    assert here.turn() == 1
    assert PlaybookRun.objects.get().customer_id == "c1"


def test_starts_that_wait_keep_nobody_waiting(stage: MakeStage) -> None:
    here = stage(BEGINNING)
    run = here.start()
    unreadable(here)
    for number in range(5):
        called(here, f"x{number}")
    called(here, "c1")
    happened("c1", "response", name="click", key="a click", at=here.now)
    assert here.turn(limit=2) == 1
    run.refresh_from_db()
    assert run.responded_at == here.now
    due = PlaybookTimer.objects.get()
    here.now = due.due_at
    assert here.turn(limit=2) == 1
    assert Happening.objects.filter(heard_at=None).count() == 6


def test_an_event_is_not_lost_while_the_model_cannot_be_read(stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    here = stage("p: {trigger: {event: invoice_failed}, steps: [{task: A}]}")
    known = plays_of(here.workspace).model
    path, before = unreadable(here)
    assert start_from_event(here.workspace, "c1", "invoice_failed", "e0", here.now, here.now) == 0, "nothing published"
    monkeypatch.setattr(starts, "published_model", lambda _: known)
    assert start_from_event(here.workspace, "c1", "invoice_failed", "e1", here.now, here.now) == 1
    path.write_text(before, encoding="utf-8")
    assert here.turn() == 1
    assert PlaybookRun.objects.get().started_by == "event invoice_failed"

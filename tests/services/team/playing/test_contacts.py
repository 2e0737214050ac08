"""Meetings and mail of which the customer's data tell: which of them are answers, to which runs, and how often."""

from datetime import datetime, timedelta

import pytest

from keepwell.services.loading import load_files
from keepwell.services.team.playing.contacts import LOOK_BACK, contacts_arrived
from keepwell.store.models import Happening, PlaybookRun
from tests.playbooks.plays import MONDAY
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import Stage, at

pytestmark = pytest.mark.django_db
LADDER = "p: {trigger: {signal: quiet}, stop_on: [meeting, reply], steps: [{wait: 9d}]}"
HEAD = "interaction_id,customer_id,kind,direction,occurred_at,outcome,responded_at,source"


def told(here: Stage, *rows: str) -> int:
    """The data tell of interactions; how many of them were news to a run."""
    folder = here.workspace.root / "new"
    folder.mkdir(exist_ok=True)
    (folder / "customers.csv").write_text("customer_id,name\nc1,Acme\nc2,Other\n", encoding="utf-8")
    (folder / "interactions.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    report = load_files(here.workspace, paths=[folder], now=here.now)
    assert not report.quarantined
    heard = contacts_arrived(here.workspace, here.now)
    here.turn()
    return heard


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("i,c1,meeting,outbound,{at},completed,,", "meeting"),
        ("i,c1,meeting,,{at},,,crm", "meeting"),
        ("i,c1,qbr,,{at},,,", "meeting"),
        ("i,c1,call,outbound,{at},completed,,", "meeting"),
        ("i,c1,email,inbound,{at},,,", "reply"),
        ("i,c1,chat,inbound,{at},,,", "reply"),
        ("i,c1,email,outbound,2026-03-01T08:00:00Z,,{at},", "reply"),
        ("i,c1,meeting,outbound,{at},no_show,,", ""),
        ("i,c1,call,outbound,{at},left_message,,", ""),
        ("i,c1,call,outbound,{at},,,", ""),
        ("i,c1,email,outbound,{at},,,", ""),
        ("i,c1,email,inbound,{at},bounced,,", ""),
        ("i,c1,note,inbound,{at},,,", ""),
        ("i,c1,meeting,outbound,{at},completed,,keepwell", ""),
        ("i,c2,meeting,outbound,{at},completed,,", ""),
    ],
)
def test_an_answer_ends_the_ladder(stage: MakeStage, row: str, reason: str) -> None:
    here = stage(LADDER)
    here.start()
    here.after(days=1)
    assert told(here, row.format(at="2026-03-02T16:00:00Z")) == bool(reason)
    run = PlaybookRun.objects.get()
    assert run.reason == reason
    assert (run.responded_at == at(2, 16)) == bool(reason)


@pytest.mark.parametrize(
    "moment",
    [
        MONDAY - timedelta(minutes=1),
        MONDAY + timedelta(days=2),
    ],
)
def test_what_was_before_the_start_or_is_still_to_come_is_no_answer(stage: MakeStage, moment: datetime) -> None:
    here = stage(LADDER)
    here.start()
    here.after(days=1)
    row = f"i,c1,meeting,,{moment:%Y-%m-%dT%H:%M:%SZ},completed,,"
    assert told(here, row) == 0
    assert PlaybookRun.objects.get().ended_at is None


def test_a_meeting_that_was_planned_counts_once_it_took_place(stage: MakeStage) -> None:
    here = stage(LADDER)
    here.start()
    here.after(days=1)
    assert told(here, "i,c1,meeting,,2026-03-04T10:00:00Z,,,") == 0
    here.after(days=2)
    assert contacts_arrived(here.workspace, here.now) == 1
    here.turn()
    assert PlaybookRun.objects.get().reason == "meeting"


def test_told_once_more_it_is_heard_once(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, steps: [{wait: 9d}]}")
    here.start()
    here.after(days=1)
    row = "i,c1,meeting,,2026-03-02T16:00:00Z,completed,,"
    assert told(here, row) == 1
    assert told(here, row) == 0
    assert told(here, row, "j,c1,meeting,,2026-03-02T17:00:00Z,completed,,") == 0, "the first answer is kept"
    run = PlaybookRun.objects.get()
    assert (run.ended_at, run.responded_at) == (None, at(2, 16))
    assert Happening.objects.filter(kind="response").count() == 1


def test_what_is_long_over_is_no_answer(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, stop_on: [meeting], steps: [{wait: 90d}]}")
    here.start()
    here.after(days=LOOK_BACK.days + 2)
    assert told(here, "i,c1,meeting,,2026-03-03T10:00:00Z,completed,,") == 0
    assert PlaybookRun.objects.get().ended_at is None

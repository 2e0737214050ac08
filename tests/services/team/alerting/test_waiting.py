"""Events of nobody's: they wait for their link, are heard once when it comes soon, and never when it comes late."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest

from keepwell.services.ingest import Accepted, journal_of
from keepwell.services.ingest.belonging import Belonging
from keepwell.services.team.alerting import follow, hearing, waiting
from keepwell.services.team.alerting.follow import Follower
from keepwell.services.team.alerting.journal_reader import JournalReader
from keepwell.services.team.alerting.waiting import forget_old, hear_again
from keepwell.services.team.audit import Actor
from keepwell.services.team.playing.known import look_up
from keepwell.services.team.playing.switches import switch
from keepwell.services.team.playing.turn import playing_turn
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, AuditEntry, Happening, JournalPlace, PlaybookRun, Task, WaitingEvent
from tests.services.ingest.sent import accepted, stripe_event
from tests.services.team.alerting.told import CUSTOMER, NOW, arrive, failed, only, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh")]
DAY = timedelta(days=1)
TRIED: Final = "report_tried_guide"
LISTENING: Final = """
playbooks:
  report_tried_guide:
    trigger: {event: report_tried}
    steps:
      - {task: "Show {company} around", play: tried, within: 1d}
alerts:
  bad_report:
    on: {event: report_tried, where: "score <= 6"}
    severity: low
    title: "{company} did not like it"
"""


@pytest.fixture
def listening(published: Workspace) -> Iterator[None]:
    """A playbook and an alert that hear of an event which the model does not know."""
    more = published.model_dir / "listening.yaml"
    more.write_text(LISTENING, encoding="utf-8")
    switch(Actor("ops"), published, TRIED, True, NOW - DAY)
    yield
    more.unlink()


def answered(number: int = 1, **more: Any) -> Accepted:
    """A low answer of a user whom nobody knows."""
    said = {"event": "nps_answered", "properties": {"score": 1}, "messageId": f"n{number}", "userId": "nobody"}
    return accepted(**{**said, **more})


def linked(workspace: Workspace, unknown: str, customer: str = CUSTOMER, **more: Any) -> int:
    """A link that was just made by hand on the data page."""
    return hear_again(workspace, Belonging(), more.get("now", NOW), links={unknown: customer})


@pytest.mark.parametrize(
    ("event", "unknown"),
    [
        (answered(), "user:nobody"),
        (answered(userId=None, anonymousId="cookie"), "anonymous:cookie"),
        (answered(context={"groupId": "acme-old"}), "acme-old"),
        (stripe_event("invoice.payment_failed", {"id": "in_9", "customer": "cus_9"}, id="evt_9"), "cus_9"),
    ],
)
def test_a_link_by_hand_opens_what_waited_once(published: Workspace, event: Accepted, unknown: str) -> None:
    arrive(published, event)
    assert (Alert.objects.count(), WaitingEvent.objects.count()) == (0, 1)
    assert linked(published, "somebody else") == 0
    assert linked(published, unknown) == 1
    assert (only().customer_id, only().times) == (CUSTOMER, 1)
    assert linked(published, unknown) == 0
    assert not WaitingEvent.objects.exists()


def test_a_group_call_opens_what_waited(published: Workspace) -> None:
    arrive(published, answered(1), answered(2))
    arrive(published, accepted("group", userId="nobody", groupId=CUSTOMER, messageId="g"))
    assert (only().customer_id, only().times, WaitingEvent.objects.count()) == (CUSTOMER, 2, 0)
    arrive(published, accepted("identify", userId="nobody", context={"groupId": CUSTOMER}, messageId="i"))
    assert only().times == 2


def test_a_customer_of_whom_was_heard_later(published: Workspace) -> None:
    arrive(published, answered(context={"groupId": "brand-new"}))
    assert not Alert.objects.exists()
    arrive(published, accepted("group", userId="u9", groupId="brand-new", messageId="g9", traits={"name": "New Ltd"}))
    assert (only().customer_id, only().company) == ("brand-new", "New Ltd")


def test_stripe_s_customer_names_its_own(published: Workspace) -> None:
    arrive(published, stripe_event("invoice.payment_failed", {"id": "in_9", "customer": "cus_9"}, id="evt_9"))
    named = {"id": "cus_9", "metadata": {"customer_id": CUSTOMER}}
    arrive(published, stripe_event("customer.updated", named, id="evt_10"))
    assert only().customer_id == CUSTOMER


def test_what_happened_too_long_ago_opens_nothing(published: Workspace) -> None:
    arrive(published, answered())
    late = NOW + 3 * DAY + timedelta(hours=1)
    assert linked(published, "user:nobody", now=late) == 0
    assert not Alert.objects.exists()
    assert forget_old(late) == 1
    arrive(published, answered(2))
    assert linked(published, "user:nobody", now=NOW + 2 * DAY) == 1


def test_only_what_sets_something_off_waits(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(published, accepted(userId="nobody", event="looked", messageId="l"), answered(properties={"score": 9}))
    assert not WaitingEvent.objects.exists()
    monkeypatch.setattr(waiting, "MOST", 1)
    arrive(published, answered(3), answered(4))
    assert not WaitingEvent.objects.exists(), "no more than that is kept"


def test_what_was_made_good_meanwhile_is_closed(published: Workspace) -> None:
    """They are heard in the order in which they happened."""
    at = int(NOW.timestamp())
    arrive(
        published,
        stripe_event("invoice.paid", {"id": "in_9", "customer": "cus_9"}, id="evt_2", at=at - 60),
        stripe_event("invoice.payment_failed", {"id": "in_9", "customer": "cus_9"}, id="evt_1", at=at - 120),
    )
    assert linked(published, "cus_9") == 2
    assert only().state == "resolved"


def test_a_new_publishing_is_asked_once(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(published, answered())
    monkeypatch.setattr(waiting, "customers_by_identity", lambda _, ids: dict.fromkeys({"nobody"} & set(ids), CUSTOMER))
    follower = Follower(JournalReader(journal_of(published)))
    follower.turn(published, NOW, 5000)
    assert only().times == 1
    monkeypatch.setattr(follow, "hear_again", lambda *_, **__: pytest.fail("nothing new was published"))
    follower.turn(published, NOW, 5000)


def test_killed_between_telling_and_hearing(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(published, answered())

    def killed(*_: Any, **__: Any) -> int:
        raise SystemExit

    follower = Follower(JournalReader(journal_of(published)))
    follower.turn(published, NOW, 5000)
    send(published, accepted("group", userId="nobody", groupId=CUSTOMER, messageId="g"), now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(follow, "hear_again", killed)
        with pytest.raises(SystemExit):
            follower.turn(published, NOW, 5000)
    assert not Alert.objects.exists()
    arrive(published, failed(7, "c-00012"))
    assert Alert.objects.filter(customer_id=CUSTOMER).count() == 1
    assert JournalPlace.objects.exists()


def test_a_link_starts_a_playbook_once(published: Workspace, listening: None) -> None:
    """Begun when it is heard: nobody can keep a deadline that was over before it was known whose the event is."""
    arrive(published, accepted(event="report_tried", userId="nobody", messageId="r"), now=NOW)
    assert (PlaybookRun.objects.count(), WaitingEvent.objects.count()) == (0, 1)
    late = NOW + 2 * DAY
    assert [linked(published, "user:nobody", now=late) for _ in range(2)] == [1, 0]
    playing_turn(published, late, worker="w1")
    playing_turn(published, late, worker="w2")
    run = PlaybookRun.objects.get()
    assert (run.playbook, run.customer_id, run.started_at) == (TRIED, CUSTOMER, late)
    assert run.compared is False
    assert Task.objects.get(play="tried").due_at == late + DAY
    assert AuditEntry.objects.filter(action="playbook.started").count() == 1


def test_a_link_that_comes_too_late_starts_nothing(published: Workspace, listening: None) -> None:
    arrive(published, accepted(event="report_tried", userId="nobody", messageId="r"), now=NOW)
    late = NOW + 3 * DAY + timedelta(seconds=1)
    assert linked(published, "user:nobody", now=late) == 0
    playing_turn(published, late, worker="w")
    assert not Happening.objects.exists()


def test_a_group_call_of_somebody_new_starts_with_the_day_that_knows_them(
    published: Workspace, listening: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its alert opens at once; a playbook needs the figures of a published day, and its event waits for them."""
    both: dict[str, Any] = {"event": "report_tried", "properties": {"score": 1}, "context": {"groupId": "brand-new"}}
    arrive(published, accepted("group", userId="u9", groupId="brand-new", messageId="g", traits={"name": "New"}))
    arrive(published, accepted(userId="u9", messageId="r", **both))
    arrive(published, accepted("group", userId="u9", groupId="brand-new", messageId="g2", traits={"name": "New"}))
    assert (Alert.objects.get().times, Happening.objects.count(), WaitingEvent.objects.count()) == (1, 0, 1)
    there = look_up(published)([CUSTOMER], ())[CUSTOMER]
    for room in (waiting, hearing):
        monkeypatch.setattr(room, "look_up", lambda _: lambda ids, _: dict.fromkeys(ids, there))
    assert [hear_again(published, Belonging(), NOW) for _ in range(2)] == [1, 0]
    assert (Alert.objects.get().times, Happening.objects.get().name) == (1, TRIED)


def test_all_that_wait_are_heard_however_many(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LIMIT", 2)
    strangers = [answered(number, userId=f"stranger-{number}") for number in range(5)]
    arrive(published, *strangers, answered(9))
    assert linked(published, "user:nobody") == 1
    assert WaitingEvent.objects.count() == 5

"""Out of the outbox: once, when it may, and with the truth about what became of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from keepwell.connectors.channels.results import GiveUp, Result, Retry, Sent
from keepwell.playbooks.state import State as RunState
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox import delivery
from keepwell.services.team.outbox.delivery import BACKOFF, LEASE, delivery_turn
from keepwell.services.team.outbox.queue import OutboxError, leave, put, send_again
from keepwell.services.team.outbox.suppression import suppress
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Outgoing, PlaybookVersion
from tests.services.team.outbox.world import NOON, fresh, go_live, running, waiting

pytestmark = pytest.mark.django_db
State = Outgoing.State
WHO = Actor("ops@example.com")


class Killed(BaseException):
    """The worker is gone in the middle of sending."""


class Post:
    """A way out that answers as it is told, and remembers what it was handed."""

    def __init__(self) -> None:
        self.had: list[str] = []
        self.answer: Callable[[Outgoing], Result] = lambda row: Sent(f"id-{row.pk}")

    def __call__(self, row: Outgoing, now: datetime) -> Result:
        self.had.append(row.key)
        return self.answer(row)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    made = Post()
    monkeypatch.setattr(delivery, "SENDERS", {"email": made, "slack": made, "webhook": made})
    return made


def turn(here: Workspace, now: datetime = NOON, worker: str = "w1") -> int:
    return delivery_turn(here, now, worker=worker)


def test_a_key_is_one_message(here: Workspace) -> None:
    first = waiting(key="same", subject="One")
    again = put(NOON, key="same", channel="email", audience="customer", subject="Two")
    assert (again.pk, again.subject) == (first.pk, "One")
    assert AuditEntry.objects.filter(action="outgoing.queued").count() == 1


def test_the_console_names_few_rehearsed_messages_and_counts_many(
    here: Workspace, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "keepwell.outbox")
    row = waiting(address="one@acme.example")
    turn(here)
    assert caplog.messages == [f"dry run: outbox {row.pk}, email to one@acme.example: {row.subject}"]
    caplog.clear()
    rows = [waiting() for _ in range(12)]
    turn(here)
    assert {fresh(row).state for row in rows} == {State.REHEARSED}
    assert caplog.messages == ["dry run: 12 messages kept in the outbox"]


def test_nothing_leaves_before_an_admin_says_so(here: Workspace, post: Post) -> None:
    row = waiting()
    go_live("email", "internal")
    assert turn(here) == 1
    assert fresh(row).state == State.REHEARSED
    assert (row.sent_at, row.attempts, post.had) == (NOON, 0, [])
    assert AuditEntry.objects.filter(action="outgoing.rehearsed", object_id=str(row.pk)).exists()
    go_live()
    assert turn(here, NOON + timedelta(hours=1)) == 0, "what was rehearsed does not leave later"


def test_a_live_channel_sends_once(here: Workspace, post: Post) -> None:
    go_live()
    row = waiting()
    assert turn(here) == 1
    assert turn(here, worker="w2") == 0
    assert fresh(row).state == State.SENT
    assert (row.provider_id, row.attempts, row.claimed_by, post.had) == (f"id-{row.pk}", 1, "", [row.key])


def test_what_is_not_due_waits(here: Workspace, post: Post) -> None:
    go_live()
    waiting(due_at=NOON + timedelta(minutes=1))
    assert turn(here) == 0
    assert turn(here, NOON + timedelta(minutes=1)) == 1


def test_colleagues_are_told_first(here: Workspace, post: Post) -> None:
    go_live()
    go_live("slack", "internal")
    waiting(key="customer")
    waiting(key="colleague", channel="slack", audience="internal")
    turn(here)
    assert post.had == ["colleague", "customer"]


def test_a_failure_is_tried_again_later_and_later(here: Workspace, post: Post) -> None:
    go_live("slack", "internal")
    row, now = waiting(channel="slack", audience="internal"), NOON
    post.answer = lambda row: Retry("busy")
    for wait in BACKOFF:
        assert turn(here, now) == 1
        assert fresh(row).state == State.FAILED
        assert row.due_at == now + wait
        assert turn(here, row.due_at - timedelta(seconds=1)) == 0
        now = row.due_at
    assert turn(here, now) == 1
    assert fresh(row).state == State.DEAD
    assert "busy" in row.error
    assert len(post.had) == len(BACKOFF) + 1


def test_the_other_side_says_how_long_to_wait(here: Workspace, post: Post) -> None:
    go_live()
    row = waiting()
    post.answer = lambda row: Retry("slow down", after=7200)
    turn(here)
    assert fresh(row).due_at == NOON + timedelta(hours=2)


def test_what_will_never_work_is_given_up_and_can_be_sent_again(here: Workspace, post: Post) -> None:
    go_live()
    row = waiting()
    post.answer = lambda row: GiveUp("no such address")
    turn(here)
    assert (fresh(row).state, row.error) == (State.DEAD, "no such address")
    post.answer = lambda row: Sent("id")
    send_again(WHO, row.pk, NOON)
    assert turn(here) == 1
    assert fresh(row).state == State.SENT
    with pytest.raises(OutboxError):
        send_again(WHO, row.pk, NOON)


def test_a_channel_that_does_not_answer_is_asked_once_in_a_turn(here: Workspace, post: Post) -> None:
    go_live()
    rows = [waiting() for _ in range(3)]
    post.answer = lambda row: Retry("no connection")
    turn(here)
    assert len(post.had) == 1
    assert {fresh(row).state for row in rows} == {State.FAILED, State.WAITING}
    assert all(row.claimed_by == "" for row in rows)


def test_an_error_of_a_library_does_not_stop_the_outbox(here: Workspace, post: Post) -> None:
    go_live()
    first, second = waiting(), waiting()

    def broken(row: Outgoing) -> Result:
        if row.pk == first.pk:
            raise ZeroDivisionError("oops")
        return Sent()

    post.answer = broken
    turn(here)
    assert (fresh(first).state, fresh(second).state) == (State.DEAD, State.SENT)
    assert "ZeroDivisionError" in first.error


def kill(row: Outgoing) -> Result:
    raise Killed


def test_a_worker_killed_while_it_sends_never_sends_twice_to_a_customer(here: Workspace, post: Post) -> None:
    go_live()
    row = waiting()
    post.answer = kill
    with pytest.raises(Killed):
        turn(here)
    assert fresh(row).state == State.SENDING
    post.answer = lambda row: Sent()
    assert turn(here, NOON + LEASE - timedelta(seconds=1), "w2") == 0
    assert turn(here, NOON + LEASE, "w2") == 1
    assert fresh(row).state == State.DEAD
    assert "may have arrived" in row.error
    assert len(post.had) == 1


def test_colleagues_are_told_again_when_nobody_knows(here: Workspace, post: Post) -> None:
    go_live("slack", "internal")
    row = waiting(channel="slack", audience="internal")
    post.answer = kill
    with pytest.raises(Killed):
        turn(here)
    post.answer = lambda row: Sent()
    turn(here, NOON + LEASE, "w2")
    assert fresh(row).state == State.FAILED
    turn(here, row.due_at, "w2")
    assert fresh(row).state == State.SENT


def test_a_claim_of_a_killed_worker_is_taken_over(here: Workspace, post: Post) -> None:
    go_live()
    row = waiting()
    Outgoing.objects.filter(pk=row.pk).update(claimed_by="gone", claimed_at=NOON)
    assert turn(here, NOON + LEASE - timedelta(seconds=1)) == 0
    assert turn(here, NOON + LEASE) == 1
    assert fresh(row).state == State.SENT


def test_a_slow_worker_may_still_say_that_it_left(here: Workspace, post: Post) -> None:
    go_live()
    row = waiting()

    def slow(row: Outgoing) -> Result:
        turn(here, NOON + LEASE, "w2")
        assert Outgoing.objects.get(pk=row.pk).state == State.DEAD
        return Sent("late")

    post.answer = slow
    turn(here)
    assert (fresh(row).state, row.provider_id, row.error) == (State.SENT, "late", "")


def test_quiet_hours_are_looked_at_when_it_leaves(here: Workspace, post: Post) -> None:
    go_live()
    go_live("slack", "internal")
    night = NOON.replace(hour=23)
    row, word = waiting(now=night), waiting(now=night, channel="slack", audience="internal")
    turn(here, night)
    assert (fresh(row).state, fresh(word).state) == (State.WAITING, State.SENT)
    assert row.due_at == (NOON + timedelta(days=1)).replace(hour=8)
    turn(here, row.due_at)
    assert fresh(row).state == State.SENT


def test_the_cap_is_looked_at_when_it_leaves(here: Workspace, post: Post) -> None:
    rows = [waiting(customer_id="busy", payload={"contact": f"pb-{n}"}) for n in (1, 2, 2, 3, 4)]
    turn(here)
    states = [fresh(row).state for row in rows]
    assert states == [State.REHEARSED] * 4 + [State.WAITING], "two people of one message are one contact"
    assert rows[-1].due_at == NOON + timedelta(days=7)


def test_a_suppressed_address_gets_nothing(here: Workspace, post: Post) -> None:
    go_live()
    suppress(WHO, "Ada@Acme.Example", why="unsubscribed", scope="marketing", now=NOON)
    suppress(WHO, "bob@acme.example", why="bounced", now=NOON)
    personal, news = waiting(address="ada@acme.example"), waiting(address="ada@acme.example", purpose="marketing")
    bounced = waiting(address="BOB@acme.example")
    turn(here)
    assert [fresh(r).state for r in (personal, news, bounced)] == [State.SENT, State.SUPPRESSED, State.SUPPRESSED]
    assert post.had == [personal.key]


@pytest.mark.parametrize(
    ("step", "begun", "after", "left"),
    [
        ("step_2", True, 1, False),
        ("end", False, 1, True),
        ("over", True, 1, True),
        ("over", False, 1, False),
        ("step_2", True, 0, True),
    ],
)
def test_what_a_stopped_playbook_asked_for_is_not_sent(
    here: Workspace, post: Post, step: str, begun: bool, after: int, left: bool
) -> None:
    go_live()
    over = NOON + timedelta(hours=after)
    run = running("c-1", reason="reply", ended_at=over)
    state = RunState(run.playbook, run.version, "c-1", 1, NOON, over, step, NOON, "ended", NOON if begun else None)
    run.state = state.as_dict()
    run.save()
    steps = [{"wait": "1h"}, {"wait": "1h"}, {"name": "over", "end": "nothing to be done"}]
    definition = {run.playbook: {"trigger": {"manual": True}, "steps": steps}}
    kept = PlaybookVersion.objects.get(playbook=run.playbook)
    kept.definition["playbooks"] = definition
    kept.save()
    row = waiting(run=run)
    turn(here, NOON + timedelta(hours=2))
    assert fresh(row).state == (State.SENT if left else State.CANCELLED)


def test_somebody_may_stop_what_has_not_left(here: Workspace, post: Post) -> None:
    go_live()
    row = waiting()
    leave(WHO, row.pk, "wrong customer", NOON)
    assert turn(here) == 0
    assert fresh(row).state == State.CANCELLED
    with pytest.raises(OutboxError):
        leave(WHO, row.pk, "again", NOON)


def test_an_unknown_channel_is_given_up(here: Workspace, post: Post) -> None:
    row = waiting(channel="pigeon")
    turn(here)
    assert fresh(row).state == State.DEAD
    assert "pigeon" in row.error

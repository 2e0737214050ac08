"""Events open alerts at once: each once, whoever reads the journal, whenever it was killed, wherever the files are."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from keepwell.playbooks.facts import Facts
from keepwell.services.ingest import Journal, journal_of
from keepwell.services.team.alerting import follow, hearing
from keepwell.services.team.alerting.follow import READER, follow_turn
from keepwell.services.team.alerting.hearing import Heard, arrived
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import Alert, AlertMark, AuditEntry, Happening, JournalPlace, Outgoing, PlaybookRun
from tests.services.ingest.sent import accepted, stripe_event
from tests.services.team.alerting.told import (
    CUSTOMER,
    MINUTE,
    NOW,
    OTHER,
    another_process,
    arrive,
    failed,
    only,
    paid,
    send,
    tracked,
)
from tests.web import MakePerson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh")]


def test_a_failed_payment_is_an_alert_with_everything(published: Workspace, person: MakePerson) -> None:
    person("admin", email="root@example.com")
    assert arrive(published, failed(), now=NOW) == 1
    found = only()
    assert (found.rule, found.customer_id, found.severity) == ("payment_failure", CUSTOMER, "high")
    assert found.company in found.title
    assert found.money is not None
    assert (found.since, found.opened_at, found.times) == (NOW, NOW, 1)
    assert found.due_at is not None
    assert found.near_at is not None
    assert NOW < found.near_at < found.due_at
    assert found.action == "Help with the payment method"
    assert ["Amount", "99.00 EUR"] in found.values["shown"]
    assert "Currency" not in dict(found.values["shown"])
    assert [mark.kind for mark in found.marks.order_by("pk")] == ["opened", "told"]
    told = Outgoing.objects.get()
    assert (told.audience, told.address, told.purpose) == ("internal", "root@example.com", "alert")
    assert "99.00" in told.text
    assert found.title in told.subject
    assert AuditEntry.objects.filter(action="alert.opened", object_id=str(found.pk)).count() == 1


def test_the_same_event_counts_once_and_another_one_counts_up(published: Workspace) -> None:
    arrive(published, failed(1))
    arrive(published, failed(2), now=NOW + MINUTE)
    found = only()
    assert (found.times, found.last_at) == (2, NOW)
    JournalPlace.objects.all().delete()
    another_process(published)(NOW + 2 * MINUTE)
    assert only().times == 2


def test_other_events_are_read_and_left(published: Workspace) -> None:
    assert arrive(published, tracked("login"), tracked("dashboard_viewed")) == 2
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("event", "properties", "rule"),
    [
        ("nps_answered", {"score": 3, "comment": "Slow"}, "nps_detractor"),
        ("nps_answered", {"score": 7}, None),
        ("ticket_created", {"priority": "P0", "subject": "All is down"}, "critical_ticket"),
        ("ticket_created", {"priority": "P3", "subject": "A question"}, None),
        ("cancellation_scheduled", {"reason": "price"}, "cancellation"),
    ],
)
def test_events_of_the_product(published: Workspace, event: str, properties: dict[str, Any], rule: str) -> None:
    arrive(published, tracked(event, **properties))
    assert [found.rule for found in Alert.objects.all()] == ([rule] if rule else [])
    if rule:
        assert str(next(iter(properties.values()))) in f"{only().what} {only().values}"


def test_what_makes_it_good_resolves_it(published: Workspace) -> None:
    arrive(published, failed(), paid())
    found = only()
    assert (found.state, found.resolved_why) == ("resolved", "Made good by itself: payment succeeded")
    assert found.next_at is None
    arrive(published, failed(2), now=NOW + 30 * MINUTE)
    assert only().state == "resolved"
    assert found.marks.filter(kind="quiet").count() == 1
    later = NOW + timedelta(days=2)
    arrive(published, failed(3), now=later)
    assert Alert.objects.exclude(state="resolved").get().opened_at == later


def test_a_payment_from_before_it_failed_resolves_nothing(published: Workspace) -> None:
    thing = {"id": "in_0", "metadata": {"customer_id": CUSTOMER}, "currency": "eur", "amount_paid": 1}
    early = stripe_event("invoice.paid", thing, id="evt_early", at=int(NOW.timestamp()) - 3600)
    arrive(published, failed(), early)
    assert only().state == "open"


def test_nobody_s_events_open_nothing(published: Workspace) -> None:
    unknown = stripe_event("invoice.payment_failed", {"id": "in_9", "customer": "cus_unknown"}, id="evt_9")
    arrive(published, unknown, accepted(userId="nobody", event="nps_answered", properties={"score": 1}))
    assert not Alert.objects.exists()
    # Who tells whose the user is, tells it for what comes after.
    arrive(published, accepted("group", userId="nobody", groupId=CUSTOMER, messageId="g"))
    arrive(published, accepted(userId="nobody", event="nps_answered", properties={"score": 2}, messageId="n2"))
    assert only().customer_id == CUSTOMER


def test_a_customer_of_today_has_alerts_before_the_first_run(published: Workspace) -> None:
    group = accepted("group", userId="u9", groupId="brand-new", messageId="g9", traits={"name": "Brand New Ltd"})
    arrive(published, group, tracked("ticket_created", customer="brand-new", priority="P0", subject="Down"))
    assert (only().customer_id, only().company, only().money) == ("brand-new", "Brand New Ltd", None)


def test_files_are_followed_through_sealing_and_loading(published: Workspace) -> None:
    follower, places = another_process(published), journal_of(published)
    send(published, failed(1))
    assert follower(NOW) == 1
    journal = Journal(places)
    journal.append([failed(2)], NOW)
    journal.seal(NOW)
    journal.close()
    assert follower(NOW) == 1
    send(published, failed(3, OTHER))
    done = places.done(NOW.date())
    done.mkdir(parents=True)
    for path in places.sealed():
        path.rename(done / path.name)
    assert follower(NOW) == 1
    assert {(one.customer_id, one.times) for one in Alert.objects.all()} == {(CUSTOMER, 2), (OTHER, 1)}
    assert follower(NOW) == 0


def test_what_was_loaded_before_anybody_followed_sets_nothing_off(published: Workspace) -> None:
    send(published, failed(1))
    places = journal_of(published)
    done = places.done(NOW.date())
    done.mkdir(parents=True)
    for path in places.open_files():
        path.rename(done / path.name)
    assert arrive(published, failed(2, OTHER)) == 1
    assert only().customer_id == OTHER


def test_half_a_line_waits_for_its_end(published: Workspace) -> None:
    follower = another_process(published)
    send(published, failed(1))
    follower(NOW)
    path, line = journal_of(published).open_files()[0], failed(2, OTHER).line
    with path.open("ab") as handle:
        handle.write(line[:40])
    assert follower(NOW) == 0
    with path.open("ab") as handle:
        handle.write(line[40:])
    assert follower(NOW) == 1
    assert Alert.objects.count() == 2


def test_half_a_line_that_was_cut_off_is_not_read(published: Workspace) -> None:
    follower = another_process(published)
    send(published, failed(1))
    path = journal_of(published).open_files()[0]
    with path.open("ab") as handle:
        handle.write(failed(2).line[:40])
    follower(NOW)
    send(published, failed(3))
    assert follower(NOW) == 1
    assert only().times == 2


def test_killed_before_the_end_of_a_transaction_it_begins_again(
    published: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(published, failed(1), failed(2, OTHER))
    act = Heard.act

    def killed(self: Heard, now: object) -> int:
        act(self, NOW)
        raise KeyboardInterrupt

    monkeypatch.setattr(Heard, "act", killed)
    with pytest.raises(KeyboardInterrupt):
        another_process(published)(NOW)
    assert (Alert.objects.count(), AlertMark.objects.count(), Outgoing.objects.count()) == (0, 0, 0)
    monkeypatch.undo()
    assert another_process(published)(NOW) == 2
    assert Alert.objects.count() == 2
    assert another_process(published)(NOW) == 0


def test_two_readers_do_it_once(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = another_process(published), another_process(published)
    send(published, failed(1))
    heard = hearing.hear

    def slow(*args: object) -> Heard:
        found = heard(*args)  # type: ignore[arg-type]
        monkeypatch.undo()
        second(NOW)
        return found

    monkeypatch.setattr(follow, "hear", slow)
    assert first(NOW) == 0
    assert only().times == 1


def test_a_file_is_read_in_pieces(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepwell.services.team.alerting.journal_reader.CHUNK", 200)
    assert arrive(published, *(failed(number) for number in range(1, 8))) == 7
    assert only().times == 7
    place = JournalPlace.objects.get(reader=READER)
    assert place.position == journal_of(published).open_files()[0].stat().st_size


def test_an_idle_turn_asks_no_database(published: Workspace, django_assert_num_queries: object) -> None:
    send(published, failed(1))
    follow_turn(published, NOW)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert follow_turn(published, NOW) == 0


def test_many_events_without_meaning_cost_few_queries(
    published: Workspace, django_assert_max_num_queries: object
) -> None:
    send(published, *(tracked("dashboard_viewed", number) for number in range(300)))
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        assert follow_turn(published, NOW) == 300


def test_old_files_are_left_behind(published: Workspace) -> None:
    follower = another_process(published)
    send(published, failed(1))
    follower(NOW)
    later = NOW + timedelta(days=3)
    send(published, failed(2, OTHER), now=later)
    follower(later)
    assert [place.file[:10] for place in JournalPlace.objects.filter(reader=READER)] == [f"{later:%Y-%m-%d}"]
    assert another_process(published)(later) == 0
    assert Alert.objects.count() == 2


def test_a_login_is_an_answer_for_customers_with_runs(published: Workspace) -> None:
    PlaybookRun.objects.create(
        playbook="p", version="1", customer_id=CUSTOMER, company="A", entry=1, started_at=NOW, started_by="x", state={},
        phase="waiting",
    )  # fmt: skip
    arrive(published, tracked("login", 1), tracked("login", 2, OTHER))
    told = Happening.objects.get()
    assert (told.customer_id, told.kind, told.name) == (CUSTOMER, "response", "login")


def test_what_comes_another_way_is_heard_as_well(published: Workspace) -> None:
    incident = Incident(CUSTOMER, ("nps_answered",), NOW, "answer-1", {"score": 2, "comment": "No"})
    with transaction.atomic():
        assert arrived(published, [incident], NOW) == 1
        assert arrived(published, [incident], NOW) == 0
    assert only().what == "Scored 2 of 10. Comment: No"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-07-05T11:00:00+00:00", "5 Jul 2026, 11:00 UTC"),
        ("2026-07-05T13:00:00.5+02:00", "5 Jul 2026, 11:00 UTC"),
        ("2026-07-05T25:00:00Z", "2026-07-05T25:00:00Z"),
        ("inv-2026-07-05T11", "inv-2026-07-05T11"),
    ],
)
def test_moments_are_shown_in_words(published: Workspace, sent: str, shown: str) -> None:
    arrive(published, tracked("payment_failed", next_attempt_at=sent))
    assert ["Next attempt at", shown] in only().values["shown"]


def test_amounts_say_their_currency(published: Workspace) -> None:
    ruling = replace(ruling_of(published), currency="CHF")
    rule = next(name for name in ruling.model.alerts if "arr" in ruling.names_of(name))
    facts = Facts(NOW.date(), {"company": "Acme", "arr": 2136.4})
    assert dict(ruling.values(rule, facts, {}))["ARR"] == "2,136 CHF"
    assert ruling.text("{company} pays {arr} a year.", "c", facts, {}) == "Acme pays 2,136 CHF a year."
    shown = ruling.values(rule, facts, {"amount": "99.00", "currency": "USD", "mrr_before": "12", "attempt": 2})
    assert shown[:3] == [["Amount", "99.00 USD"], ["Mrr before", "12 USD"], ["Attempt", "2"]]
    assert ruling.values(rule, facts, {"amount": "99.00", "mrr_after": "12"})[:2] == [
        ["Amount", "99.00"], ["Mrr after", "12 CHF"],
    ]  # fmt: skip
    assert "unknown" in dict(ruling.values(rule, Facts(NOW.date(), {"company": "Acme", "arr": None}), {}))["ARR"]

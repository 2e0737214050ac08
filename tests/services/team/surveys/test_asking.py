"""Who is asked, once, by whom, and who is left alone."""

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from keepwell.model.message_definitions import Message
from keepwell.reporting.reading import read_day
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.pen import Pen
from keepwell.services.team.outbox.recipients import Addressee, account_of
from keepwell.services.team.outbox.suppression import suppress
from keepwell.services.team.surveys.asking import NOBODY, PAUSED, REFUSED, Asker, outgoing_of
from keepwell.services.team.surveys.daily import WEEK, remind, surveys_from_day
from keepwell.services.team.surveys.defined import surveys_of, surveys_on, switch_survey
from keepwell.services.team.surveys.links import invitation_in, survey_url
from keepwell.services.team.surveys.occasions import Seen, occasions
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import AuditEntry, Outgoing, SurveyInvitation, WorkspaceSetting
from tests.services.team.outbox.world import NOON, waiting
from tests.web import LAST

from .world import CSAT, NPS, asked, customers, invited, occasion, survey

pytestmark = pytest.mark.django_db
OPS = Actor("ops@example.com")


def test_an_occasion_becomes_one_invitation_with_signed_answers(published: Workspace) -> None:
    customer = customers(published)[0]
    assert asked(published, occasion(customer, "once"), occasion(customer, "once")).asked == 1
    assert asked(published, occasion(customer, "once")).asked == 0, "again is no news"
    (invitation,) = SurveyInvitation.objects.all()
    (row,) = Outgoing.objects.all()
    assert (row.purpose, row.channel, row.audience, row.subject) == ("service", "email", "customer", "How likely?")
    assert (invitation.outgoing_id, row.address.lower()) == (row.pk, invitation.address)
    for score in range(11):
        assert survey_url(invitation.pk, score) in row.html
    assert survey_url(invitation.pk) in row.text
    assert "?s=11" not in row.html


def test_a_forged_or_cut_token_names_nobody() -> None:
    token = survey_url(7).rpartition("/")[2]
    assert invitation_in(token) == 7
    assert invitation_in(token[:-1]) is None
    assert invitation_in(token.replace("7:", "8:", 1)) is None
    assert invitation_in("7") is None


def test_nobody_is_asked_twice_in_thirty_days_by_any_survey(published: Workspace) -> None:
    customer = customers(published)[0]
    assert asked(published, occasion(customer)).asked == 1
    again = asked(published, occasion(customer), name=CSAT, kind="csat", now=NOON + timedelta(days=29))
    assert (again.asked, dict(again.left_out)) == (0, {PAUSED: 1})
    assert asked(published, occasion(customer), name=CSAT, kind="csat", now=NOON + timedelta(days=31)).asked == 1


def test_one_turn_asks_a_person_once_however_many_occasions(published: Workspace) -> None:
    customer = customers(published)[0]
    done = asked(published, occasion(customer), occasion(customer))
    assert (done.asked, dict(done.left_out)) == (1, {PAUSED: 1})


def test_what_was_cancelled_pauses_nobody(published: Workspace) -> None:
    customer = customers(published)[0]
    asked(published, occasion(customer))
    Outgoing.objects.update(state=Outgoing.State.CANCELLED)
    assert asked(published, occasion(customer)).asked == 1


@pytest.mark.parametrize("scope", ["all", "marketing"])
def test_suppressed_addresses_are_not_asked(published: Workspace, scope: str) -> None:
    customer = customers(published)[0]
    asked(published, occasion(customer))
    address = SurveyInvitation.objects.get().address
    SurveyInvitation.objects.all().delete()
    suppress(OPS, address, why="by_hand", now=NOON, scope=scope)
    left = asked(published, occasion(customer))
    assert (left.asked, dict(left.left_out)) == (0, {REFUSED: 1})


def test_unknown_customers_are_nobody(published: Workspace) -> None:
    assert dict(asked(published, occasion("nobody")).left_out) == {NOBODY: 1}


def test_a_delay_puts_it_off(published: Workspace) -> None:
    asked(published, occasion(customers(published)[0]), delay="2h")
    assert Outgoing.objects.get().due_at == NOON + timedelta(hours=2)
    assert SurveyInvitation.objects.get().sent_at == NOON + timedelta(hours=2)


def test_what_it_would_do_is_what_it_does(published: Workspace) -> None:
    found = [*(occasion(customer) for customer in customers(published, 5)), occasion("nobody")]
    would = Asker(published, NPS, survey(), NOON).would_ask(found)
    assert not SurveyInvitation.objects.exists()
    did = asked(published, *found)
    assert (would.asked, would.left_out) == (did.asked, did.left_out)


def seen_on(workspace: Workspace, day: date) -> dict[str, set[str]]:
    with workspace.warehouse("test") as warehouse:
        seen = Seen(read_day(workspace.snapshots, day), warehouse, ZoneInfo(workspace.zone))
        surveys = {
            "ticket": survey(on={"ticket": "resolved"}),
            "period": survey(on={"every_days": 30}),
            "since": survey(on={"date": "customer_since", "after_days": 0}),
            "upgrade": survey(on={"change": "upgrade"}),
            "milestone": survey(on={"milestone": "onboarding"}),
        }
        return {name: {one.name for one in occasions(seen, about)} for name, about in surveys.items()}


def test_what_happened_is_found_seven_days_back(published: Workspace) -> None:
    found, later = seen_on(published, LAST - timedelta(days=3)), seen_on(published, LAST)
    assert found["ticket"]
    assert found["ticket"] & later["ticket"], "days overlap, and keys are the same on each"
    assert not found["ticket"] >= later["ticket"], "the world goes on"
    with published.warehouse("test") as warehouse:
        ((count,),) = warehouse.connection.execute(
            "SELECT count(*) FROM tickets x JOIN customer_keys k USING (customer) WHERE x.deleted_at IS NULL"
            " AND resolved_at >= ? AND resolved_at < ?",
            [LAST - timedelta(days=6), LAST + timedelta(days=1)],
        ).fetchall()
    assert count >= len(later["ticket"]) > 0


def test_every_customer_has_a_day_of_its_own_in_a_period(published: Workspace) -> None:
    every = {one.removeprefix("period:").rpartition(":") for one in seen_on(published, LAST)["period"]}
    assert 0 < len(every) < 60, "some are due in a week, not all"
    assert len({day for _, _, day in every}) > 2


def test_a_day_again_asks_nobody_twice_and_what_is_off_only_says_what_it_would(published: Workspace) -> None:
    switch_survey(OPS, published, CSAT, True, NOON - timedelta(days=7))
    with published.warehouse("test") as warehouse:
        first = surveys_from_day(published, warehouse, LAST, NOON)
        again = surveys_from_day(published, warehouse, LAST, NOON)
    assert first.asked > 0
    assert again.asked == 0
    assert set(SurveyInvitation.objects.values_list("survey", flat=True)) == {CSAT}
    week = WorkspaceSetting.objects.get(name=WEEK).value
    assert set(week["surveys"]) == {NPS}
    about = SurveyInvitation.objects.exclude(about="").first()
    assert about is not None
    assert about.about.startswith("ticket:")


def test_what_happened_before_it_was_switched_on_is_left(published: Workspace) -> None:
    switch_survey(OPS, published, CSAT, True, NOON + timedelta(days=2))
    with published.warehouse("test") as warehouse:
        assert surveys_from_day(published, warehouse, LAST, NOON + timedelta(days=2)).asked == 0


def test_a_switch_is_written_down_and_takes_back_what_waits(published: Workspace) -> None:
    assert surveys_on() == {}
    switch_survey(OPS, published, NPS, True, NOON)
    assert surveys_on() == {NPS: NOON}
    asked(published, occasion(customers(published)[0]), delay="2h")
    assert switch_survey(OPS, published, NPS, False, NOON) == 1
    assert Outgoing.objects.get().state == "cancelled"
    assert surveys_on() == {}
    actions = AuditEntry.objects.filter(object_kind="survey").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["survey.switched_on", "survey.switched_off"]
    with pytest.raises(WorkspaceError, match="no survey 'nope'"):
        switch_survey(OPS, published, "nope", True, NOON)


def test_who_has_not_answered_is_reminded_once(published: Workspace) -> None:
    switch_survey(OPS, published, NPS, True, NOON)
    asked(published, *(occasion(customer) for customer in customers(published, 2)))
    done, open_one = SurveyInvitation.objects.order_by("pk")
    Outgoing.objects.update(state="sent")
    SurveyInvitation.objects.filter(pk=done.pk).update(answered_at=NOON, score=9)
    assert surveys_of(published)[NPS].remind_after_days == 3
    assert remind(published, NOON + timedelta(days=2)) == 0
    assert remind(published, NOON + timedelta(days=3)) == 1
    assert remind(published, NOON + timedelta(days=4)) == 0
    reminder = Outgoing.objects.get(key=f"survey:{open_one.pk}:again")
    assert survey_url(open_one.pk, 10) in reminder.html
    assert remind(published, NOON + timedelta(days=30)) == 0


def test_no_reminder_once_it_is_off_or_somebody_does_not_want_it(published: Workspace) -> None:
    switch_survey(OPS, published, NPS, True, NOON)
    asked(published, *(occasion(customer) for customer in customers(published, 1)))
    Outgoing.objects.update(state="sent")
    suppress(OPS, SurveyInvitation.objects.get().address, why="by_hand", now=NOON, scope="marketing")
    assert remind(published, NOON + timedelta(days=4)) == 0


@pytest.mark.parametrize("again", [False, True])
def test_a_link_to_unsubscribe_in_a_survey_s_own_words_works(published: Workspace, again: bool) -> None:
    to, customer = Addressee("ada@acme.example", "Ada"), customers(published)[0]
    account = account_of(published, customer)
    assert account is not None
    words = Message(subject="One question", purpose="marketing", text="{{ link.unsubscribe }}")
    invitation = invited(customer)
    pen = Pen(published, account, counted=False)
    row = outgoing_of(pen, survey(message="words"), words, to, invitation, NOON, again=again)
    found = [tokens.unsubscribing(one.rstrip(")")) for one in re.findall(r"/m/u/(\S+)", row.text)]
    assert set(found) == (set() if again else {row.key})


def test_who_left_since_is_not_reminded(published: Workspace) -> None:
    switch_survey(OPS, published, NPS, True, NOON - timedelta(days=6))
    left = waiting(now=NOON - timedelta(days=5), state="sent")
    gone = invited(customers(published)[0], sent_at=NOON - timedelta(days=5), outgoing=left, person_id="p-gone")
    assert remind(published, NOON) == 0
    SurveyInvitation.objects.filter(pk=gone.pk).update(person_id="")
    assert remind(published, NOON) == 1, "the customer's own address is nobody's in particular"


def test_switching_off_takes_back_what_failed_and_would_be_tried_again(published: Workspace) -> None:
    switch_survey(OPS, published, NPS, True, NOON)
    asked(published, occasion(customers(published)[0]))
    Outgoing.objects.update(state=Outgoing.State.FAILED)
    assert switch_survey(OPS, published, NPS, False, NOON) == 1
    assert Outgoing.objects.get().state == Outgoing.State.CANCELLED

"""What people do with alerts, and what their clocks do when nobody does anything."""

from datetime import timedelta

import pytest

from keepwell.services.team.alerting.alerts import AlertRefused, Seen, acknowledge, assign, resolve, snooze
from keepwell.services.team.alerting.clocks import clock_turn
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.team.alerting.telling import tell
from keepwell.services.team.alerting.ways import choose_channels, chosen_channels
from keepwell.services.team.audit import actor
from keepwell.services.team.playing.roles import name_people
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, AuditEntry, Outgoing, Person, Team
from tests.services.team.alerting.told import CUSTOMER, NOW, arrive, failed, only, tracked
from tests.web import MakePerson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh")]
HOUR = timedelta(hours=1)


@pytest.fixture
def team(person: MakePerson) -> dict[str, Person]:
    """The owner of the customer, a manager of the owner's team, another manager, and a person for billing."""
    east, west = Team.objects.create(name="East"), Team.objects.create(name="West")
    people = {
        "other": person("manager", email="other@example.com", team=west),
        "owner": person("csm", email="maya@example.com", team=east, owner_aliases=["maya.brandt@keepwell.example"]),
        "manager": person("manager", email="mo@example.com", team=east),
        "billing": person("ops", email="bill@example.com"),
    }
    name_people(actor(people["billing"]), {"billing_team": people["billing"].pk}, NOW)
    return people


def told() -> list[tuple[str, str]]:
    """Who was told what, in order."""
    return [(row.payload["kind"], row.address) for row in Outgoing.objects.order_by("pk")]


def kinds(found: Alert) -> list[str]:
    return [mark.kind for mark in found.marks.order_by("pk")]


def test_the_chain_of_people(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed())
    found = only()
    assert found.assignee is None
    assert found.due_at == NOW + 2 * HOUR
    assert clock_turn(published, NOW + HOUR) == 0
    assert clock_turn(published, NOW + 1.7 * HOUR) == 1
    assert clock_turn(published, NOW + 1.7 * HOUR) == 0
    found = only()
    assert (found.near_told_at, found.breached_at) == (NOW + 1.6 * HOUR, None)
    assert clock_turn(published, NOW + 2 * HOUR) == 1
    found = only()
    assert (found.breached_at, found.level) == (NOW + 2 * HOUR, 1)
    assert clock_turn(published, NOW + 25 * HOUR) == 0
    assert clock_turn(published, NOW + 26 * HOUR) == 1
    found = only()
    assert (found.level, found.next_at) == (2, None)
    owner, manager = "maya@example.com", "mo@example.com"
    assert told() == [
        ("opened", owner), ("near", owner), ("breached", owner), ("escalated", "bill@example.com"),
        ("escalated", manager),
    ]  # fmt: skip
    assert kinds(found) == [
        "opened", "told", "near", "told", "breached", "told", "escalated", "told", "escalated", "told",
    ]  # fmt: skip
    actions = AuditEntry.objects.filter(object_kind="alert").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["alert.opened", "alert.near", "alert.breached", *["alert.escalated"] * 2]


def test_a_worker_that_was_away_says_it_once(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed())
    assert clock_turn(published, NOW + 100 * HOUR) == 1
    assert clock_turn(published, NOW + 101 * HOUR) == 0
    owner, manager = "maya@example.com", "mo@example.com"
    billing = "bill@example.com"
    assert told() == [("opened", owner), ("breached", owner), ("escalated", billing), ("escalated", manager)]
    assert kinds(only()) == [
        "opened", "told", "near", "breached", "told", "escalated", "told", "escalated", "told",
    ], "what the owner was spared stands in the history"  # fmt: skip


def test_who_is_all_of_the_chain_hears_the_last_only(published: Workspace, person: MakePerson) -> None:
    boss = person("admin", email="root@example.com")
    name_people(actor(boss), {"billing_team": boss.pk, "manager": boss.pk}, NOW)
    arrive(published, failed())
    assert clock_turn(published, NOW + 100 * HOUR) == 1
    assert told() == [("opened", boss.email), ("escalated", boss.email)]
    assert kinds(only()) == ["opened", "told", "near", "breached", "escalated", "escalated", "told"]


def test_acknowledging_stops_the_clock(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed())
    found = only()
    acknowledge(actor(team["owner"]), [Seen(found.pk, found.version)], now=NOW + HOUR)
    assert clock_turn(published, NOW + 100 * HOUR) == 0
    found = only()
    assert (found.state, found.acknowledged_by, found.acknowledged_at) == ("acknowledged", team["owner"], NOW + HOUR)
    with pytest.raises(AlertRefused, match="taken up by Maya already"):
        acknowledge(actor(team["manager"]), [Seen(found.pk)], now=NOW + HOUR)
    entry = AuditEntry.objects.get(action="alert.acknowledged")
    assert (entry.actor, entry.customer_id) == (team["owner"], CUSTOMER)
    assert (entry.before["state"], entry.after["state"]) == ("open", "acknowledged")


def test_a_snoozed_alert_comes_back_with_a_deadline_of_its_own(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed())
    until = NOW + 24 * HOUR
    snooze(actor(team["owner"]), [Seen(only().pk)], until=until, reason="They pay tomorrow", now=NOW)
    assert clock_turn(published, until - HOUR) == 0
    arrive(published, failed(2))
    assert (only().state, only().times) == ("snoozed", 2)
    assert clock_turn(published, until) == 1
    found = only()
    assert (found.state, found.due_at, found.breached_at) == ("open", until + 2 * HOUR, None)
    assert told()[-1] == ("woken", "maya@example.com")


def test_one_that_was_taken_up_wakes_without_a_deadline(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed())
    who = actor(team["owner"])
    acknowledge(who, [Seen(only().pk)], now=NOW)
    snooze(who, [Seen(only().pk)], until=NOW + HOUR, reason="Later", now=NOW)
    clock_turn(published, NOW + 2 * HOUR)
    assert (only().state, only().next_at) == ("acknowledged", None)


def test_what_cannot_be_done_says_why(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed())
    who, seen = actor(team["owner"]), [Seen(only().pk)]
    with pytest.raises(AlertRefused, match="still to come"):
        snooze(who, seen, until=NOW, reason="x", now=NOW)
    with pytest.raises(AlertRefused, match="90 days"):
        snooze(who, seen, until=NOW + timedelta(days=91), reason="x", now=NOW)
    with pytest.raises(AlertRefused, match="Say why"):
        snooze(who, seen, until=NOW + HOUR, reason=" ", now=NOW)
    with pytest.raises(AlertRefused, match="Say what was done"):
        resolve(who, seen, why="", now=NOW)
    with pytest.raises(AlertRefused, match="not there any more"):
        resolve(who, [Seen(999_999)], why="x", now=NOW)
    with pytest.raises(AlertRefused, match="changed by somebody else"):
        resolve(who, [Seen(seen[0].pk, 7)], why="x", now=NOW)
    resolve(who, seen, why="The card was renewed", now=NOW)
    with pytest.raises(AlertRefused, match="resolved already"):
        acknowledge(who, seen, now=NOW)
    assert only().resolved_why == "The card was renewed"


def test_all_or_none(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed(), tracked("nps_answered", score=1))
    first, second = Alert.objects.order_by("pk")
    who = actor(team["owner"])
    resolve(who, [Seen(second.pk)], why="Called", now=NOW)
    with pytest.raises(AlertRefused):
        resolve(who, [Seen(first.pk), Seen(second.pk)], why="Called", now=NOW)
    first.refresh_from_db()
    assert first.state == "open"


def test_who_is_given_an_alert_is_told(published: Workspace, team: dict[str, Person]) -> None:
    arrive(published, failed())
    assign(actor(team["manager"]), [Seen(only().pk)], to=team["billing"], now=NOW)
    assert only().assignee == team["billing"]
    assert told()[-1] == ("assigned", "bill@example.com")
    clock_turn(published, NOW + 1.9 * HOUR)
    assert told()[-1] == ("near", "bill@example.com")


def test_a_viewer_is_given_nothing(published: Workspace, team: dict[str, Person], person: MakePerson) -> None:
    arrive(published, failed())
    with pytest.raises(AlertRefused, match="cannot work on alerts"):
        assign(actor(team["manager"]), [Seen(only().pk)], to=person("viewer"), now=NOW)


def test_an_idle_tick_is_one_query(published: Workspace, django_assert_num_queries: object) -> None:
    arrive(published, failed())
    with django_assert_num_queries(1):  # type: ignore[operator]
        clock_turn(published, NOW)


def test_the_channels_of_a_rule(published: Workspace, team: dict[str, Person]) -> None:
    """What the workspace chose goes before what the model names; a chat hears it once, and says for whom."""
    model = ruling_of(published).model
    choose_channels(actor(team["other"]), model, {"payment_failure": ["slack", "email"], "nobody_s": ["teams"]}, NOW)
    arrive(published, failed())
    sent = {row.channel: row for row in Outgoing.objects.all()}
    assert set(sent) == {"slack", "email"}
    assert (sent["slack"].address, sent["slack"].audience, sent["slack"].payload["role"]) == ("", "internal", "owner")
    assert team["owner"].shown_name in sent["slack"].text
    assert sent["email"].address == "maya@example.com"
    assert "by e-mail and Slack" in only().marks.get(kind="told").text
    clock_turn(published, NOW + 30 * HOUR)
    told = Outgoing.objects.filter(channel="slack").values_list("payload__kind", flat=True)
    assert sorted(told) == ["escalated", "opened"], "of what was due at once the last"


def test_what_a_chat_does_not_hear_is_not_written_down_as_told(published: Workspace, team: dict[str, Person]) -> None:
    model = ruling_of(published).model
    choose_channels(actor(team["other"]), model, {"payment_failure": ["slack"]}, NOW)
    arrive(published, failed())
    clock_turn(published, NOW + 30 * HOUR)
    assert [kind for kind, _ in told()] == ["opened", "escalated"]
    assert kinds(only()).count("told") == 2


def test_channels_of_the_model_are_left_to_it(published: Workspace, team: dict[str, Person]) -> None:
    model, who = ruling_of(published).model, actor(team["other"])
    choose_channels(who, model, {"payment_failure": ["teams"]}, NOW)
    choose_channels(who, model, {"payment_failure": ["email"], "champion_left": []}, NOW)
    assert chosen_channels() == {}
    assert AuditEntry.objects.filter(action="alert.channels").count() == 2


def test_a_chat_hears_of_it_when_nobody_has_the_role(published: Workspace) -> None:
    alert = Alert.objects.create(
        rule="x", customer_id="c", company="Acme", severity="high", title="T", since=NOW, opened_at=NOW, last_at=NOW,
        values={"notify": ["teams", "email"]},
    )  # fmt: skip
    tell(alert, "opened", [], NOW, role="support")
    assert [row.channel for row in Outgoing.objects.all()] == ["teams"]
    assert alert.marks.get().text == "Nobody has this role; said in Teams"

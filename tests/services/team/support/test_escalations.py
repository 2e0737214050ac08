"""Escalations as rows: opened once, brought up to date, filed and closed; clocks that ring once; the whole day."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.model.packs import pack_directory, resolve_model
from keepwell.services.published import publish_copies
from keepwell.services.team.audit import actor
from keepwell.services.team.support import escalations, ringing
from keepwell.services.team.support.day import support_from_day, tickets_arrived
from keepwell.services.team.support.escalations import (
    EscalationRefused,
    escalate,
    escalation_close,
    escalation_file,
    escalation_reopen,
)
from keepwell.services.team.support.listing import support_figures, waiting_tickets
from keepwell.services.team.support.ringing import ring, support_turn
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Rules
from keepwell.store.models import AuditEntry, Escalation, TicketClock
from keepwell.warehouse.columns import TABLE_COLUMNS
from tests.web import NOW, MakePerson

from .made import desk, many, row, ticket

pytestmark = pytest.mark.django_db
REQUEST: dict[str, Any] = {"subject": "Export pets as a spreadsheet", "category": "Feature Request", "plan": "Premium"}


@pytest.fixture(autouse=True)
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product itself is well."""
    monkeypatch.setattr(escalations, "service_known", lambda _workspace, _now: ())


def opened(published: Workspace, count: int = 5) -> Escalation:
    escalate(published, desk(), many(count, **REQUEST), NOW)
    return Escalation.objects.get()


def test_a_pattern_opens_once_and_grows(published: Workspace) -> None:
    first = opened(published)
    assert (first.pattern, first.team, first.priority, first.state) == ("feature_request", "product", "High", "open")
    assert escalate(published, desk(), many(5, **REQUEST), NOW) == escalations.Escalated(0, 0)
    done = escalate(published, desk(), many(8, **REQUEST), NOW + timedelta(days=1))
    assert done == escalations.Escalated(0, 1)
    again = Escalation.objects.get()
    assert (len(again.tickets), again.version) == (8, 2)
    assert "8 customers in last 30 days" in again.document
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["escalation.opened", "escalation.refreshed"]


def test_it_stays_the_same_when_most_people_call_it_otherwise(published: Workspace) -> None:
    opened(published)
    others = many(9, start=5, **{**REQUEST, "subject": "Spreadsheet export of pets"})
    escalate(published, desk(), [*many(5, **REQUEST), *others], NOW)
    assert len(Escalation.objects.get().tickets) == 14


def test_closed_ones_need_new_tickets(published: Workspace, person: MakePerson) -> None:
    who, one = actor(person("manager")), opened(published)
    escalation_close(who, one.pk, version=1, why="Built", now=NOW)
    assert escalate(published, desk(), many(9, **REQUEST), NOW).opened == 0
    assert escalate(published, desk(), many(10, **REQUEST), NOW).opened == 1
    assert Escalation.objects.exclude(state="closed").get().tickets == [f"t-{n:03}" for n in range(5, 10)]
    with pytest.raises(EscalationRefused, match="Another one"):
        escalation_reopen(who, one.pk, version=2, now=NOW)


def test_filed_with_its_link_it_still_grows(published: Workspace, person: MakePerson) -> None:
    who, one = actor(person("manager")), opened(published)
    escalation_file(who, one.pk, version=1, link=" https://tracker.example/1 ", now=NOW)
    escalate(published, desk(), many(7, **REQUEST), NOW)
    one.refresh_from_db()
    assert (one.state, one.link, one.figures["filed_tickets"]) == ("filed", "https://tracker.example/1", 5)
    assert len(one.tickets) == 7
    assert AuditEntry.objects.get(action="escalation.filed").actor == who.person


@pytest.mark.parametrize(
    "link", ["", "tracker", "javascript:alert(1)", "https://", "https://x.example/a b", "ftp://x.example"]
)
def test_only_addresses_of_pages_are_links(published: Workspace, person: MakePerson, link: str) -> None:
    one = opened(published)
    with pytest.raises(EscalationRefused, match="address"):
        escalation_file(actor(person("manager")), one.pk, version=1, link=link, now=NOW)


def test_what_somebody_changed_meanwhile_is_looked_at_again(published: Workspace, person: MakePerson) -> None:
    who, one = actor(person("manager")), opened(published)
    with pytest.raises(EscalationRefused, match="Somebody else"):
        escalation_close(who, one.pk, version=7, why="x", now=NOW)
    with pytest.raises(EscalationRefused, match="what came of it"):
        escalation_close(who, one.pk, version=1, why=" ", now=NOW)
    with pytest.raises(EscalationRefused, match="It is open"):
        escalation_reopen(who, one.pk, version=1, now=NOW)


def test_a_clock_rings_once(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    waiting = [ticket("t-1", hours_ago=1.5, priority="P0"), ticket("t-2", hours_ago=300, priority="P4")]
    monkeypatch.setattr(ringing, "desk_tickets", lambda *_a, **_k: waiting)
    monkeypatch.setattr(ringing, "arrived", lambda _w, incidents, _n: heard.extend(incidents))
    assert ring(published, NOW - timedelta(minutes=35)) == 1
    assert ring(published, NOW) == 1
    assert ring(published, NOW) == 0
    assert [(one.names[0], one.key) for one in heard] == [
        ("ticket_sla_near", "t-1:response_near"),
        ("ticket_sla_breached", "t-1:response_breached"),
    ]
    assert heard[0].properties["level"] == "first response"
    assert TicketClock.objects.count() == 2
    assert ring(published, NOW + timedelta(hours=2)) == 1, "the resolution is near meanwhile"


def test_turns_look_once_a_minute(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Any] = []
    monkeypatch.setattr(ringing, "_looked", ringing._Looked())

    def looked(_workspace: Workspace, now: Any) -> int:
        looks.append(now)
        return 1

    monkeypatch.setattr(ringing, "ring", looked)
    turns = [support_turn(published, NOW + timedelta(seconds=seconds)) for seconds in (0, 1, 59, 60, 61)]
    assert turns == [1, 0, 0, 1, 0]


def test_the_day_of_a_whole_workspace(published: Workspace) -> None:
    done = support_from_day(published, NOW)
    assert done.opened == Escalation.objects.count()
    assert tickets_arrived(published, NOW).opened == 0


def test_people_see_their_own_tickets(published: Workspace, person: MakePerson) -> None:
    publish_copies(published)
    everything = waiting_tickets(published, person("ops"), NOW)
    assert everything
    owner = next(one.ticket.row.owner_email for one in everything if one.ticket.row.owner_email)
    mine = waiting_tickets(published, person("csm", owner_aliases=[owner]), NOW)
    assert {one.ticket.row.owner_email for one in mine} <= {owner, ""}
    assert len(mine) > 0
    assert not [one for one in waiting_tickets(published, person("csm"), NOW) if one.ticket.row.owner_email]
    dues = [one.clock.due_at for one in everything if one.clock]
    assert dues == sorted(dues)


def test_figures_count_what_was_due(published: Workspace, person: MakePerson, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = row("t-1", hours_ago=10, priority="P0", first_response_at=NOW - timedelta(hours=9.5), resolved_at=NOW)
    fresh = row("t-2", hours_ago=0.1, priority="P0")
    monkeypatch.setattr("keepwell.services.team.support.tickets.tickets_known", lambda *_a, **_k: (kept, fresh))
    found = support_figures(published, person("ops"), NOW)
    assert (found.open, found.breached, found.near) == (1, 0, 0)
    assert (found.response, found.resolution) == (1.0, 0.0)
    assert [(one.priority, one.response_of) for one in found.levels][:2] == [("P0", 1), ("P1", 0)]
    assert found.levels[1].response is None


def test_the_household_pack_hears_the_clocks(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(ringing, "desk_tickets", lambda *_a, **_k: [ticket("t-1", hours_ago=1.5, priority="P0")])
    monkeypatch.setattr(ringing, "arrived", lambda _w, incidents, _n: heard.extend(incidents))
    ring(published, NOW - timedelta(minutes=35))
    ring(published, NOW)
    rules = Rules(resolve_model(pack_directory("household-app"), tables=TABLE_COLUMNS).model.alerts)
    assert [[hit.rule for hit in rules.hits(one)] for one in heard] == [["sla_near_breach"], ["sla_breached"]]


def test_what_is_answered_is_settled_once(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    late = [ticket("t-1", hours_ago=1.5, priority="P0"), ticket("t-2", hours_ago=1.5, priority="P0")]
    waiting = list(late)
    monkeypatch.setattr(ringing, "desk_tickets", lambda *_a, **_k: waiting)
    monkeypatch.setattr(ringing, "arrived", lambda _w, incidents, _n: heard.extend(one.key for one in incidents))
    ring(published, NOW)
    heard.clear()
    waiting[:] = [ticket("t-1", hours_ago=1.5, priority="P0", first_response_at=NOW), late[1]]
    assert ring(published, NOW) == 0, "another ticket of the customer is late"
    waiting[:] = [waiting[0]]
    assert ring(published, NOW) == 2
    assert heard == ["t-1:response_settled", "t-2:response_settled"]
    assert ring(published, NOW) == 0

"""Categories and priorities: by rules, by people, and who wins."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.services.published.tickets import tickets_known
from keepwell.services.team.audit import actor
from keepwell.services.team.support import listing
from keepwell.services.team.support.clocks import clocks_of, rings
from keepwell.services.team.support.judging import TicketRefused, judge, ticket_correct
from keepwell.services.team.support.rules import category_by_rules, known_category, names_in_text, priority_by_rules
from keepwell.services.team.support.tickets import desk_tickets
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, TicketJudged
from tests.web import NOW, MakePerson

from .made import desk, hours, ticket


@pytest.mark.parametrize(("subject", "body", "category"), [
    ("Saving fails", "An error appears when we save.", "Bug"),
    ("Idea", "It would be great if you could add bulk edit.", "Feature Request"),
    ("Question", "How do I invite my sister?", "How-To"),
    ("Invoice", "The last invoice was charged twice.", "Account/Billing"),
    ("Very slow", "Loading takes forever.", "Performance"),
    ("Wrong numbers", "Records are missing since Monday.", "Data Issue"),
    ("Calendar sync", "The sync with the API stopped.", "Integration"),
    ("iPhone", "The app on iOS looks odd.", "Mobile"),
    ("Security", "I see someone else's data.", "Security"),
    ("Password of another user", "I saw somebody else's data: is this a breach?", "Security"),
    ("Hello", "Nothing in particular.", None),
])  # fmt: skip
def test_words_tell_the_category(subject: str, body: str, category: str | None) -> None:
    found = category_by_rules(desk(), subject, body)
    assert (found.value if found else None) == category
    assert found is None or "says" in found.why


def test_a_word_inside_another_word_says_nothing() -> None:
    assert category_by_rules(desk(), "Capital", "The rapid debugger slowly") is None


def test_a_pack_brings_its_own_words() -> None:
    own = desk(ticket_words_bug=["kaputt"])
    found = category_by_rules(own, "Alles kaputt", "")
    assert found is not None
    assert found.value == "Bug"
    assert category_by_rules(own, "An error", "") is None


@pytest.mark.parametrize(("given", "name"), [
    ("bug", "Bug"), ("feature_request", "Feature Request"), ("HOW-TO", "How-To"), ("billing", "Account/Billing"),
    ("security issue", "Security"), ("Gardening", "Gardening"),
])  # fmt: skip
def test_names_of_the_help_desk_are_known(given: str, name: str) -> None:
    assert known_category(given) == name


@pytest.mark.parametrize(("urgency", "impact", "priority"), [
    ("high", "high", "P0"), ("high", "medium", "P1"), ("medium", "high", "P1"), ("medium", "medium", "P2"),
    ("low", "high", "P2"), ("low", "medium", "P3"), ("low", "low", "P4"), ("high", "low", "P2"),
    ("medium", "low", "P3"),
])  # fmt: skip
def test_the_matrix_of_priorities(urgency: str, impact: str, priority: str) -> None:
    assert priority_by_rules(desk(), urgency, impact, "", "", "").value == priority


def test_what_is_not_given_the_words_say() -> None:
    found = priority_by_rules(desk(), "", "", "", "Production down", "Nobody can work, all users are blocked.")
    assert found.value == "P0"
    assert "production down" in found.why
    assert priority_by_rules(desk(), "", "", "", "Typo", "No hurry, cosmetic.").value == "P4"
    assert priority_by_rules(desk(), "", "", "", "Hello", "").value == "P2"


def test_names_of_competitors_are_whole_words() -> None:
    assert names_in_text(("Pet", "PetDesk"), "We tried PETDESK.", "") == ["PetDesk"]
    assert names_in_text(("11pets",), "the 11pets app") == ["11pets"]
    assert names_in_text(("C++ (old)",), "not here") == []


def test_service_levels_run_on_elapsed_time() -> None:
    for priority, response, resolution in (("P0", 1, 4), ("P1", 2, 8), ("P2", 4, 24), ("P3", 24, 48), ("P4", 48, 120)):
        first, last = clocks_of(desk(), priority, NOW, None, None)
        assert (first.due_at, last.due_at) == (hours(response), hours(resolution))


def test_a_clock_is_near_then_breached_then_too_late() -> None:
    first, _ = clocks_of(desk(), "P0", NOW, None, None)
    moments = [(0.79, "running"), (0.8, "near"), (1.0, "near"), (1.01, "breached")]
    assert [first.state(hours(at)) for at, _ in moments] == [state for _, state in moments]
    done, solved = clocks_of(desk(), "P0", NOW, hours(1), hours(5))
    assert (done.state(hours(9)), solved.state(hours(9))) == ("kept", "broken")
    for at, what in ((0.9, "near"), (2, "breached")):
        assert [(clock.kind, said) for clock, said, _ in rings((first,), NOW, hours(at))] == [("response", what)]
    assert not list(rings((done,), NOW, hours(2)))


def test_a_solution_is_an_answer() -> None:
    first, _ = clocks_of(desk(), "P0", NOW, None, hours(0.5))
    assert first.state(hours(3)) == "kept"


def test_nobody_waits_for_an_answer_to_who_left() -> None:
    assert ticket(priority="P0").open
    assert not ticket(priority="P0", left=True).open
    assert ticket(priority="P0", left=True).clocks == ()
    assert ticket(priority="P0", status="closed").clocks == ()


@pytest.mark.django_db
def test_tickets_are_read_as_they_were_known(published: Workspace) -> None:
    now = tickets_known(published, NOW)
    earlier = tickets_known(published, NOW - timedelta(days=20))
    assert 0 < len(earlier) < len(now)
    assert all(one.created_at <= NOW - timedelta(days=20) for one in earlier)
    assert all(one.resolved_at is None or one.resolved_at <= NOW - timedelta(days=20) for one in earlier)
    waiting = tickets_known(published, NOW, open_only=True)
    assert {one.ticket_id for one in waiting} == {
        one.ticket_id for one in now if one.resolved_at is None and one.status not in ("solved", "closed")
    }


@pytest.mark.django_db
def test_the_list_begins_with_what_is_most_urgent(
    published: Workspace, person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small thing that is long overdue does not stand before a great one that is not."""
    given = (("p3-late", "P3", 40), ("p0-new", "P0", 0.1), ("p3-new", "P3", 1), ("p0-late", "P0", 3))
    tickets = [ticket(name, priority=priority, hours_ago=ago) for name, priority, ago in given]
    monkeypatch.setattr(listing, "desk_tickets", lambda *_args, **_about: tickets)
    found = listing.waiting_tickets(published, person("ops"), NOW)
    order = [one.ticket.ticket_id for one in found]
    assert order == ["p0-late", "p0-new", "p3-late", "p3-new"]


@pytest.mark.django_db
def test_a_person_wins_over_everything(published: Workspace, person: MakePerson) -> None:
    who = person("ops")
    one = next(one for one in desk_tickets(published, NOW) if one.category != "Mobile")
    ticket_correct(actor(who), one, category="Mobile", priority="P0", now=NOW)
    again = next(found for found in desk_tickets(published, NOW, ticket_id=one.ticket_id))
    assert (again.category, again.priority, again.by) == ("Mobile", "P0", "person")
    entry = AuditEntry.objects.get(action="ticket.corrected")
    assert (entry.object_id, entry.customer_id) == (one.ticket_id, one.row.customer_id)
    assert judge(published, desk(), [again], NOW) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("said", [{"category": "Gardening"}, {"priority": "P9"}])
def test_what_is_no_category_is_refused(person: MakePerson, said: dict[str, str]) -> None:
    with pytest.raises(TicketRefused):
        ticket_correct(actor(person("ops")), ticket(), **{"category": "", "priority": "", **said}, now=NOW)
    assert not TicketJudged.objects.exists()


@pytest.mark.django_db
def test_tickets_without_a_category_are_judged_once(published: Workspace, monkeypatch: Any) -> None:
    bug = ticket("t-a", subject="Error", body="It fails.")
    shy = ticket("t-b", subject="Hello", body="Something.")
    given = ticket("t-c", category="Billing")
    said = [("Mobile", 0.9), ("How-To", 0.4)]
    monkeypatch.setattr("keepwell.services.team.support.judging.predict", lambda _w, found: said[: len(found)])
    assert judge(published, desk(), [bug, shy, given], NOW) == 1
    kept = TicketJudged.objects.get()
    assert (kept.ticket_id, kept.category, kept.by, kept.confidence) == ("t-a", "Mobile", "classifier", 0.9)
    again = ticket("t-a", subject="Error", body="It fails.", judged=kept)
    assert (again.category, again.by) == ("Mobile", "classifier")
    assert judge(published, desk(), [again, shy, given], NOW) == 0
    assert AuditEntry.objects.filter(action="tickets.judged").count() == 1

"""Offers: who may make them, how many and how much, the answer, and what is done then."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from keepwell.playbooks.events import Happened
from keepwell.services.published import PortfolioRow
from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.offering.policies import (
    Policy,
    policies_change,
)
from keepwell.services.team.offering.sending import offer_token
from keepwell.services.team.offers import (
    ON_PAGE,
    TOLD,
    OfferRefused,
    Proposal,
    offer_accept,
    offer_decline,
    offer_make,
    offer_of_token,
    offer_withdraw,
    offers_turn,
)
from keepwell.services.team.outcomes import log_outcome, undo_outcome
from keepwell.services.team.playing.approvals import ApprovalRefused, approval_decide
from keepwell.services.team.task_changes import Seen, mark_done
from keepwell.services.team.timeline import timeline_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, AuditEntry, CanonicalWrite, Happening, Offer, Outgoing, Task
from tests.web import LAST, NOW, MakePerson

pytestmark = pytest.mark.django_db
WORKER = Actor("Keepwell")
PAUSE = Proposal("pause", "A pause of two months", {"months": 2})
TRIAL = Proposal("trial", "Thirty days of everything", {"days": 30})


def make(published: Workspace, row: PortfolioRow, proposal: Proposal = TRIAL, **more: Any) -> Offer:
    who = more.pop("who", WORKER)
    return offer_make(who, published, row, proposal, more.pop("now", NOW))


def accepted(published: Workspace, offer: Offer, **more: Any) -> Offer:
    said = {"name": "Ada", "note": "", "how": ON_PAGE, "now": NOW + timedelta(hours=1), **more}
    return offer_accept(Actor("Ada"), published, offer.pk, **said)


def test_what_money_feels_waits_for_somebody_elses_yes(
    published: Workspace, row: PortfolioRow, person: MakePerson
) -> None:
    csm, manager = person("csm"), person("manager", owner_aliases=[row.owner_email])
    offer = make(published, row, PAUSE, who=actor(csm))
    assert offer.state == "asked"
    assert offer.worth == Decimal(str(row.mrr)).quantize(Decimal("0.01")) * 2
    assert offer_of_token(offer_token(offer)) is None, "nobody sees it yet"
    question = Approval.objects.get()
    assert (question.kind, question.asked_role, question.asked_by) == ("offer", "manager", csm.shown_name)
    later = NOW + timedelta(days=1)
    approval_decide(actor(manager), question.pk, True, "", later)
    offer.refresh_from_db()
    assert (offer.state, offer.opened_at) == ("open", later)
    assert offer.expires_at == later + timedelta(days=14), "waiting costs the customer nothing"
    assert list(AuditEntry.objects.filter(object_kind="offer").values_list("action", flat=True)) == [
        "offer.made",
        "offer.asked",
    ]


def test_nobody_approves_what_it_asked_for_itself(published: Workspace, row: PortfolioRow, person: MakePerson) -> None:
    admin = person("admin")
    offer = make(published, row, PAUSE, who=actor(admin))
    with pytest.raises(ApprovalRefused, match="somebody else approves"):
        approval_decide(actor(admin), Approval.objects.get().pk, True, "", NOW)
    approval_decide(actor(person("ops")), Approval.objects.get().pk, False, "too dear", NOW)
    offer.refresh_from_db()
    assert (offer.state, offer.result) == ("refused", "too dear")


def test_a_role_below_the_rules_neither_asks_nor_approves(
    published: Workspace, row: PortfolioRow, person: MakePerson
) -> None:
    rule = Policy(asks="manager", approves="admin", largest={"months": 3})
    policies_change(WORKER, {"pause": rule}, NOW)
    with pytest.raises(OfferRefused, match="Manager and above"):
        make(published, row, PAUSE, who=actor(person("csm")))
    make(published, row, PAUSE, who=actor(person("manager")))
    with pytest.raises(ApprovalRefused, match="admin and above"):
        approval_decide(actor(person("ops")), Approval.objects.get().pk, True, "", NOW)
    with pytest.raises(OfferRefused, match="role"):
        make(published, row, who=actor(person("viewer")))


@pytest.mark.parametrize(("proposal", "words"), [
    (Proposal("pause", "x", {"months": 4}), "3 months are the most"),
    (Proposal("discount", "x", {"percent": 60}), "50 % are the most"),
    (Proposal("pause", "x"), "say how much: months"),
    (Proposal("pause", " ", {"months": 1}), "what the customer gets"),
    (Proposal("gold", "x"), "Choose what"),
    (Proposal("trial", "x", {"days": 30}, days=400), "1 to 90 days"),
    (Proposal("trial", "x", {"days": -1}), "above 0"),
    (Proposal("trial", "x", {"days": 30}, to_email="a@b\nBcc: c@d"), "no e-mail address"),
    (Proposal("custom", "x", worth=Decimal("-1")), "amount of money"),
])  # fmt: skip
def test_what_cannot_be_offered_is_refused_in_words(
    published: Workspace, row: PortfolioRow, proposal: Proposal, words: str
) -> None:
    with pytest.raises(OfferRefused, match=words):
        make(published, row, proposal)
    assert not Offer.objects.exists()
    assert not AuditEntry.objects.filter(object_kind="offer").exists()


def test_one_pause_a_year(published: Workspace, row: PortfolioRow) -> None:
    march = NOW.replace(month=3, day=5)
    accepted(published, make(published, row, PAUSE, now=march), now=march + timedelta(days=1))
    with pytest.raises(OfferRefused, match=r"The customer had a pause in March; one a year is the most.*5 March 2027"):
        make(published, row, PAUSE)
    assert make(published, row, PAUSE, now=march + timedelta(days=366)).state == "open"


def test_what_was_not_given_does_not_count(published: Workspace, row: PortfolioRow) -> None:
    declined = make(published, row, PAUSE)
    offer_decline(Actor("Ada"), published, declined.pk, name="", note="", how=ON_PAGE, now=NOW)
    expired = make(published, row, PAUSE)
    offers_turn(published, expired.expires_at)
    taken = make(published, row, PAUSE, now=expired.expires_at)
    offer_withdraw(WORKER, taken.pk, version=taken.version, why="by mistake", now=expired.expires_at)
    assert make(published, row, PAUSE, now=expired.expires_at).state == "open"
    with pytest.raises(OfferRefused, match="may still accept"):
        make(published, row, PAUSE, now=expired.expires_at)


def test_an_offer_is_accepted_once_and_carried_out_by_a_task(published: Workspace, row: PortfolioRow) -> None:
    offer = accepted(published, make(published, row, PAUSE))
    task = Task.objects.get(play=f"offer:{offer.pk}")
    assert (offer.state, offer.answer["name"], offer.task) == ("accepted", "Ada", task)
    assert task.checklist[0] == {"text": "Pause the subscription in billing", "done": False}
    for again in (offer_accept, offer_decline):
        with pytest.raises(OfferRefused, match="accepted already"):
            again(Actor("Bob"), published, offer.pk, name="Bob", note="", how=ON_PAGE, now=NOW)
    heard = Happening.objects.get(kind=str(Happened.RESPONSE))
    assert (heard.customer_id, heard.name) == (row.customer_id, "reply")
    assert offers_turn(published, NOW) == 0
    mark_done(WORKER, [Seen(task.pk)], now=NOW, why="Entered")
    assert offers_turn(published, NOW + timedelta(hours=2)) == 1
    offer.refresh_from_db()
    assert (offer.state, offer.result) == ("done", "Entered")
    assert AuditEntry.objects.filter(object_kind="offer", action="offer.done").count() == 1


def test_the_outcome_of_the_task_closes_the_offer_and_taking_it_back_opens_it(
    published: Workspace, row: PortfolioRow, person: MakePerson
) -> None:
    offer, who = accepted(published, make(published, row)), actor(person("admin"))
    told: dict[str, Any] = {"contact": "email", "issue": "payment", "note": "Entered", "now": NOW, "today": LAST}
    logged = log_outcome(who, offer.task_id or 0, version=1, result="resolved", **told)
    offers_turn(published, NOW)
    offer.refresh_from_db()
    assert offer.state == "done"
    assert "Entered" in offer.result
    undo_outcome(who, logged.pk, now=NOW, today=LAST)
    offers_turn(published, NOW)
    offer.refresh_from_db()
    assert (offer.state, offer.done_at) == ("accepted", None)


def test_a_follow_up_goes_on_with_the_offer(published: Workspace, row: PortfolioRow, person: MakePerson) -> None:
    offer, who = accepted(published, make(published, row)), actor(person("admin"))
    told: dict[str, Any] = {"contact": "email", "issue": "payment", "note": "", "now": NOW, "today": LAST}
    on = LAST + timedelta(days=2)
    log_outcome(who, offer.task_id or 0, version=1, result="follow_up", follow_up_on=on, **told)
    offers_turn(published, NOW)
    offer.refresh_from_db()
    assert offer.state == "accepted"
    assert offer.task is not None
    assert offer.task.kind == "follow_up"
    assert offers_turn(published, NOW) == 0


def test_a_name_is_needed_to_accept(published: Workspace, row: PortfolioRow) -> None:
    offer = make(published, row)
    with pytest.raises(OfferRefused, match="name"):
        accepted(published, offer, name="  ")
    offer.refresh_from_db()
    assert offer.state == "open"


def test_an_offer_expires_to_the_second_and_not_before(published: Workspace, row: PortfolioRow) -> None:
    offer = make(published, row)
    assert offers_turn(published, offer.expires_at - timedelta(seconds=1)) == 0
    with pytest.raises(OfferRefused, match="expired"):
        accepted(published, offer, now=offer.expires_at)
    assert not Task.objects.filter(play__startswith="offer:").exists()
    assert offers_turn(published, offer.expires_at) == 1
    assert offers_turn(published, offer.expires_at) == 0
    offer.refresh_from_db()
    assert offer.state == "expired"
    assert AuditEntry.objects.filter(action="offer.expired").count() == 1


def test_nobodys_approval_in_time_is_a_no(published: Workspace, row: PortfolioRow, person: MakePerson) -> None:
    offer = make(published, row, PAUSE, who=actor(person("csm")))
    question = Approval.objects.get()
    assert question.due_at is not None
    assert offers_turn(published, question.due_at) == 1
    offer.refresh_from_db()
    question.refresh_from_db()
    assert (offer.state, question.state) == ("expired", "expired")


def test_taken_back_says_why_and_stops_the_message(published: Workspace, row: PortfolioRow) -> None:
    offer = make(published, row, Proposal("trial", "Try it", {"days": 9}, to_name="Ada", to_email="ada@acme.example"))
    mail = Outgoing.objects.get(audience="customer")
    assert (mail.address, mail.subject, mail.state) == ("ada@acme.example", "Try it", "waiting")
    assert "/o/" not in mail.subject
    with pytest.raises(OfferRefused, match="Say why"):
        offer_withdraw(WORKER, offer.pk, version=offer.version, why=" ", now=NOW)
    with pytest.raises(OfferRefused, match="Somebody else"):
        offer_withdraw(WORKER, offer.pk, version=offer.version + 1, why="x", now=NOW)
    offer_withdraw(WORKER, offer.pk, version=offer.version, why="wrong customer", now=NOW)
    mail.refresh_from_db()
    assert mail.state == "cancelled"
    with pytest.raises(OfferRefused, match="taken back"):
        accepted(published, offer)


def test_a_message_carries_the_link_and_hostile_words_as_text(published: Workspace, row: PortfolioRow) -> None:
    title = "<b>{{ setting.product_name }}</b>"
    make(published, row, Proposal("trial", title, {"days": 9}, to_email="ada@acme.example"))
    mail = Outgoing.objects.get(audience="customer")
    assert mail.subject == title
    assert "<b>{{" not in mail.html
    assert "/m/c/" in mail.html or "/o/" in mail.html


@pytest.mark.parametrize("token", ["", "x", "InRlc3Qi:abc", "a" * 3000, "é", "\0"])
def test_a_forged_token_opens_nothing(token: str) -> None:
    assert offer_of_token(token) is None


def test_a_token_of_another_offer_cannot_be_made(published: Workspace, row: PortfolioRow) -> None:
    one, two = make(published, row), make(published, row, Proposal("preview", "See it", {"days": 9}))
    (first, _, mark), (second, _, _) = (offer_token(offer).rpartition(":") for offer in (one, two))
    assert offer_of_token(offer_token(one)) == one
    assert offer_of_token(f"{second}:{mark}") is None
    assert first != second


def test_the_timeline_tells_all_that_became_of_an_offer(
    published: Workspace, row: PortfolioRow, person: MakePerson
) -> None:
    """Asked for, approved, sent, accepted, carried out; and it is written down as an event exactly once."""
    csm, manager = person("csm", name="Cs"), person("manager", name="Boss", owner_aliases=[row.owner_email])
    wanted = Proposal("pause", "A pause", {"months": 2}, to_email="ada@example.com", to_name="Ada")
    offer = make(published, row, wanted, who=actor(csm))
    approval_decide(actor(manager), Approval.objects.get().pk, True, "", NOW + timedelta(hours=1))
    Outgoing.objects.filter(key__startswith="offer:").update(state="sent", sent_at=NOW + timedelta(hours=2))
    accepted(published, offer, now=NOW + timedelta(hours=3))
    with pytest.raises(OfferRefused):
        accepted(published, offer, now=NOW + timedelta(hours=4))
    task = Task.objects.get(play=f"offer:{offer.pk}")
    mark_done(actor(manager), [Seen(task.pk)], now=NOW + timedelta(hours=5))
    offers_turn(published, NOW + timedelta(hours=6))
    told = timeline_of(published, row.customer_id, kinds=("offer",)).entries
    assert [entry.title for entry in told] == [
        "Offer carried out: A pause", "Offer accepted: A pause", "Offer sent: A pause",
        "Offer approved: A pause", "Offer waits for approval: A pause",
    ]  # fmt: skip
    assert [(told[3].person, told[4].person), told[1].detail] == [("Boss", "Cs"), f"Ada · {ON_PAGE}"]
    assert told[4].detail == "2 months"
    [kept] = CanonicalWrite.objects.filter(table="events")
    assert (kept.row["name"], kept.row["event_id"]) == ("offer_accepted", f"keepwell-offer-{offer.pk}-accepted")
    assert not timeline_of(published, "somebody-else", kinds=("offer",)).entries


def test_what_expired_or_was_declined_is_told_too(published: Workspace, row: PortfolioRow) -> None:
    declined = make(published, row)
    offer_decline(WORKER, published, declined.pk, name="Ada", note="Too early", how=TOLD, now=NOW)
    make(published, row, now=NOW + timedelta(days=1))
    offers_turn(published, NOW + timedelta(days=30))
    told = timeline_of(published, row.customer_id, kinds=("offer",)).entries
    titles = {entry.title.split(":")[0] for entry in told}
    assert titles == {"Offer made", "Offer declined", "Offer expired"}
    assert not CanonicalWrite.objects.exists()

"""The pages of offers, and the one on which customers answer."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from keepwell.interfaces.workspace.pages.offer_public import A_MINUTE
from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows
from keepwell.services.team.audit import Actor
from keepwell.services.team.offering.policies import policies_now
from keepwell.services.team.offering.sending import offer_token
from keepwell.services.team.offers import Proposal, offer_make
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, AuditEntry, Offer, Opportunity, Task
from tests.web import LAST, NOW, MakeClient

pytestmark = pytest.mark.django_db


def owned(published: Workspace, number: int = 0) -> PortfolioRow:
    """A customer who has an owner and pays."""
    rows = [one for one in portfolio_rows(published, PortfolioQuery()) if one.owner_email and one.mrr]
    return rows[number]


def made(published: Workspace, number: int = 0, **fields: Any) -> Offer:
    """An open offer."""
    said = {"kind": "trial", "title": "Thirty days of everything", "terms": {"days": 30}, **fields}
    return offer_make(Actor("Keepwell"), published, owned(published, number), Proposal(**said), fields.pop("now", NOW))


def page_of(offer: Offer) -> str:
    return reverse("offer_answer", args=[offer_token(offer)])


def asked(**more: Any) -> dict[str, Any]:
    return {"kind": "pause", "title": "A pause", "months": "2", "open_days": "14", **more}


def test_an_offer_from_the_customers_page_to_the_task(client_of: MakeClient, published: Workspace) -> None:
    row = owned(published)
    csm = client_of("csm", email="own@example.com", owner_aliases=[row.owner_email])
    form = reverse("offer_new", args=[row.customer_id])
    assert form in csm.get(reverse("customer", args=[row.customer_id])).content.decode()
    assert b"Up to 3 months, once a year, after approval" in csm.get(form).content
    answer = csm.post(form, asked(), follow=True)
    offer = Offer.objects.get()
    assert b"Asked for approval" in answer.content
    assert "/o/" not in answer.content.decode(), "no link before it is approved"
    manager = client_of("ops")
    answer = manager.post(reverse("approval_answer", args=[Approval.objects.get().pk]), {"answer": "yes"}, follow=True)
    assert b"The offer is open" in answer.content
    assert page_of(offer) in manager.get(reverse("offer", args=[offer.pk])).content.decode()
    assert b"A pause" in csm.get(reverse("customer", args=[row.customer_id])).content
    said = {"name": "Ada", "note": "by phone"}
    csm.post(reverse("offer_change", args=[offer.pk, "accepted"]), said)
    task = Task.objects.get(play=f"offer:{offer.pk}")
    card = csm.get(reverse("task", args=[task.pk])).content.decode()
    assert "Pause the subscription in billing" in card
    assert "by phone" in card
    assert "0 of 3 done" in card


@pytest.mark.parametrize(("said", "words"), [
    (asked(months="4"), "3 months are the most"),
    (asked(months=""), "say how much"),
    (asked(months="many"), "whole number"),
    (asked(kind="gold"), "not one of the available"),
    (asked(title=""), "required"),
    (asked(to_email="nobody"), "no e-mail address"),
])  # fmt: skip
def test_what_is_refused_is_said_and_what_was_written_stays(
    client_of: MakeClient, published: Workspace, said: dict[str, str], words: str
) -> None:
    form = reverse("offer_new", args=[owned(published).customer_id])
    answer = client_of("ops").post(form, {**said, "note": "What I wrote"})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert b"What I wrote" in answer.content
    assert not Offer.objects.exists()


@pytest.mark.parametrize(("kind", "words"), [("free_sessions", b"agree on the next step"), ("pause", b"nothing else")])
def test_who_accepts_reads_what_happens_next(published: Workspace, kind: str, words: bytes) -> None:
    offer = made(published)
    Offer.objects.filter(pk=offer.pk).update(kind=kind)
    thanks = Client().post(page_of(offer), {"answer": "yes", "name": "Ada"}).content
    assert words in thanks.replace(b"not do anything else", b"nothing else")


def test_a_customer_accepts_without_signing_in_once(client_of: MakeClient, published: Workspace) -> None:
    offer, customer = made(published), Client(enforce_csrf_checks=True)
    seen = customer.get(page_of(offer))
    assert escape(offer.company) in seen.content.decode()
    assert not seen.cookies
    assert seen["Referrer-Policy"] == "same-origin", "the address is nobody else's business"
    assert "Content-Security-Policy" in seen
    assert "no-store" in seen["Cache-Control"]
    offer.refresh_from_db()
    assert offer.state == "open", "looking changes nothing"
    answer = customer.post(page_of(offer), {"answer": "yes", "name": "Ada <b>Lovelace</b>"})
    assert b"it is yours" in answer.content
    offer.refresh_from_db()
    assert (offer.state, offer.answer["name"]) == ("accepted", "Ada <b>Lovelace</b>")
    again = customer.post(page_of(offer), {"answer": "no", "name": "Bob"})
    assert again.status_code == 409
    shown = customer.get(page_of(offer)).content.decode()
    assert "accepted already" in shown
    for secret in ("Ada", offer.company, offer.title):
        assert secret not in shown, "a forwarded link tells nobody more"
    inside = client_of("ops").get(reverse("offer", args=[offer.pk])).content.decode()
    assert "Ada &lt;b&gt;" in inside
    assert Task.objects.filter(play=f"offer:{offer.pk}").count() == 1


def test_a_customer_declines(published: Workspace) -> None:
    offer = made(published)
    assert b"Nothing changes" in Client().post(page_of(offer), {"answer": "no", "note": "Later"}).content
    offer.refresh_from_db()
    assert (offer.state, offer.answer["note"]) == ("declined", "Later")
    assert not Task.objects.filter(play__startswith="offer:").exists()


@pytest.mark.parametrize("said", [{}, {"answer": "maybe"}, {"answer": "yes"}, {"answer": "yes", "name": " "}])
def test_an_answer_that_is_none_changes_nothing(published: Workspace, said: dict[str, str]) -> None:
    offer = made(published)
    assert Client().post(page_of(offer), said).status_code == 422
    offer.refresh_from_db()
    assert offer.state == "open"


def test_an_expired_offer_is_closed_to_its_customer(published: Workspace) -> None:
    offer = made(published)
    Offer.objects.update(expires_at=NOW - timedelta(days=1))
    assert b"It has expired" in Client().get(page_of(offer)).content
    assert Client().post(page_of(offer), {"answer": "yes", "name": "Ada"}).status_code == 409


def test_forged_links_and_those_of_unapproved_offers_open_nothing(published: Workspace) -> None:
    offer = made(published)
    token = offer_token(offer)
    for wrong in (token[:-1] + ("a" if token[-1] != "a" else "b"), "1", token.split(":")[0]):
        answer = Client().post(reverse("offer_answer", args=[wrong]), {"answer": "yes", "name": "Eve"})
        assert answer.status_code == 404
        assert offer.title not in answer.content.decode()
    Offer.objects.update(state="asked")
    assert Client().get(page_of(offer)).status_code == 404


def test_who_asks_too_often_waits(published: Workspace, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr("keepwell.interfaces.workspace.pages.offer_public.time.time", lambda: 1e9)
    cache.clear()
    offer = made(published)
    codes = [Client().get(page_of(offer)).status_code for _ in range(A_MINUTE + 2)]
    assert codes[0] == 200
    assert codes[-1] == 429
    wrong = [Client().get(reverse("offer_answer", args=[f"x{n}"])).status_code for n in range(A_MINUTE + 2)]
    assert wrong[-1] == 429, "guessing another token each time does not help"
    cache.clear()


def test_strangers_see_and_change_nothing(client_of: MakeClient, published: Workspace) -> None:
    offer = made(published)
    stranger = client_of("csm", email="stranger@example.com")
    assert offer.title not in stranger.get(reverse("offers")).content.decode()
    assert stranger.get(reverse("offer", args=[offer.pk])).status_code == 404
    assert stranger.get(reverse("offer_new", args=[offer.customer_id])).status_code == 404
    for verb in ("accepted", "declined", "withdrawn", "eaten"):
        assert stranger.post(reverse("offer_change", args=[offer.pk, verb]), {"name": "x"}).status_code == 404
    viewer = client_of("viewer")
    shown = viewer.get(reverse("offer", args=[offer.pk])).content.decode()
    assert "/o/" not in shown, "who may not work gets no link to accept with"
    assert viewer.post(reverse("offer_change", args=[offer.pk, "declined"])).status_code == 403
    assert client_of("ops").get(reverse("offer_rules")).status_code == 403
    offer.refresh_from_db()
    assert offer.state == "open"


def test_the_list_is_filtered_and_counts(client_of: MakeClient, published: Workspace) -> None:
    one, two = made(published), made(published, 1, kind="pause", title="A pause", terms={"months": 2})
    Offer.objects.filter(pk=two.pk).update(state="expired")
    ops = client_of("ops")
    page = ops.get(reverse("offers")).content.decode()
    assert one.title in page
    assert "Payment pause: 2 months" not in page
    for query, there, gone in (
        ("state=all&kind=pause", two, one),
        (f"state=all&q={quote(one.company)}", one, two),
        ("state=expired", two, one),
        (f"state=all&owner={quote(one.owner_email)}&kind=trial", one, two),
    ):
        seen = ops.get(f"{reverse('offers')}?{query}", headers={"hx-request": "true"}).content.decode()
        assert reverse("offer", args=[there.pk]) in seen, query
        assert reverse("offer", args=[gone.pk]) not in seen, query
    assert ops.get(reverse("offers") + "?state=nonsense&page=99").status_code == 200


def test_queries_do_not_grow_with_the_list(
    client_of: MakeClient, published: Workspace, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    client = client_of("ops")
    made(published)
    client.get(reverse("offers"))
    with django_assert_max_num_queries(7) as counted:
        client.get(reverse("offers"))
    for number in (1, 2):
        made(published, number)
    with django_assert_num_queries(len(counted)):
        client.get(reverse("offers"))


def test_the_customers_page_shows_what_is_open(client_of: MakeClient, published: Workspace) -> None:
    offer = made(published)
    Opportunity.objects.create(
        customer_id=offer.customer_id, company=offer.company, signal="s", title="Seats are full", value=100,
        opened_on=LAST, opened_at=NOW, seen_on=LAST,
    )  # fmt: skip
    page = client_of("ops").get(reverse("customer", args=[offer.customer_id])).content.decode()
    assert "Seats are full" in page
    assert offer.title in page
    assert reverse("offer_new", args=[offer.customer_id]) not in (
        client_of("viewer").get(reverse("customer", args=[offer.customer_id])).content.decode()
    )


def test_rules_are_changed_by_an_administrator(client_of: MakeClient, published: Workspace) -> None:
    admin = client_of("admin")
    said: dict[str, str] = {}
    for name, rule in policies_now().items():
        said |= {f"{name}-asks": rule.asks, f"{name}-alone": rule.alone, f"{name}-approves": rule.approves}
        said |= {f"{name}-per_year": str(rule.per_year), f"{name}-playbooks": "1" if rule.playbooks else ""}
        said |= {f"{name}-{unit}": f"{most:g}" for unit, most in rule.largest.items()}
    address = reverse("offer_rules")
    assert admin.post(address, said).status_code == 302
    assert not AuditEntry.objects.filter(object_id="offer_policies").exists(), "nothing was changed"
    for wrong in ({"pause-months": "4"}, {"pause-months": "many"}, {"pause-approves": "csm"}, {"pause-months": "inf"}):
        assert admin.post(address, {**said, **wrong}).status_code == 422, wrong
    assert admin.post(address, {**said, "pause-per_year": "2", "pause-alone": "manager"}).status_code == 302
    changed = policies_now()["pause"]
    assert (changed.per_year, changed.alone) == (2, "manager")
    assert AuditEntry.objects.get(object_id="offer_policies").summary == "Changed the rules for payment pause"


def test_points_are_ticked_on_the_card(client_of: MakeClient, published: Workspace) -> None:
    offer = made(published)
    Client().post(page_of(offer), {"answer": "yes", "name": "Ada"})
    task = Task.objects.get(play=f"offer:{offer.pk}")
    ops, address = client_of("ops"), reverse("task_tick", args=[task.pk, 0])
    part = ops.post(address, {"done": "1"}, headers={"hx-request": "true"}).content.decode()
    assert "1 of 2 done" in part
    assert 'aria-checked="true"' in part
    assert ops.post(address, {"done": "0"}).status_code == 302
    gone = ops.post(reverse("task_tick", args=[task.pk, 9]), {"done": "1"}, headers={"hx-request": "true"})
    assert gone.status_code == 409
    assert client_of("viewer").post(address, {"done": "1"}).status_code == 403
    assert client_of("csm", email="stranger@example.com").post(address, {"done": "1"}).status_code == 404

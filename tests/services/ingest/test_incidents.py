"""What a message tells at once: whose it is, its names, its properties; history is nothing to be woken for."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.services.ingest import incidents
from keepwell.services.ingest.belonging import Belonging
from keepwell.services.ingest.incidents import incident_names, incident_of
from tests.services.ingest.sent import NOW, accepted, read, stripe_event

SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1", "customer": "cus_1", "status": "active", "currency": "eur", "cancel_at_period_end": True,
    "current_period_end": 1785456000, "cancellation_details": {"feedback": "too_expensive"},
    "items": {"data": [{"price": {"id": "pro", "unit_amount": 9900, "recurring": {"interval": "month"}}}]},
}  # fmt: skip


def test_a_track_call_is_its_event() -> None:
    message = read(accepted(userId="u", event="ticket_created", properties={"priority": "P0"}, messageId="m1"))
    found = incident_of(message, "acme")
    assert found is not None
    assert (found.customer_id, found.names, found.key, found.at) == ("acme", ("ticket_created",), "m1", NOW)
    assert found.properties == {"priority": "P0"}


def test_a_failed_invoice_has_a_plain_name_and_its_amount() -> None:
    thing = {"id": "in_1", "customer": "cus_1", "currency": "jpy", "amount_due": 1200, "attempt_count": 2}
    found = incident_of(read(stripe_event("invoice.payment_failed", thing)), "acme")
    assert found is not None
    assert found.names == ("invoice.payment_failed", "payment_failed")
    assert (found.properties["amount"], found.properties["currency"]) == ("1200.00", "JPY")
    assert (found.properties["attempt"], found.properties["invoice_id"]) == (2, "in_1")


def test_a_cancellation_is_named_as_its_change() -> None:
    message = read(stripe_event("customer.subscription.updated", SUBSCRIPTION, before={"cancel_at_period_end": False}))
    found = incident_of(message, "acme")
    assert found is not None
    assert found.names == ("customer.subscription.updated", "cancellation_scheduled")
    assert (found.properties["reason"], found.properties["mrr_before"]) == ("too_expensive", "99.00")


def test_a_change_of_nothing_has_only_stripe_s_name() -> None:
    message = read(stripe_event("customer.subscription.updated", SUBSCRIPTION, before={"metadata": {}}))
    assert incident_names(message) == ("customer.subscription.updated",)


def test_history_sets_nothing_off() -> None:
    old = (NOW - timedelta(days=4)).isoformat()
    assert incident_of(read(accepted(userId="u", event="payment_failed", timestamp=old)), "acme") is None
    new = (NOW - timedelta(days=2)).isoformat()
    assert incident_of(read(accepted(userId="u", event="payment_failed", timestamp=new)), "acme") is not None


def test_groups_and_identities_are_no_incidents() -> None:
    assert incident_names(read(accepted("group", userId="u", groupId="acme"))) == ()
    assert incident_names(read(accepted("page", userId="u", name="Home"))) == ("page_viewed",)


@pytest.mark.parametrize(
    ("body", "published", "wanted"),
    [
        ({"userId": "u", "context": {"groupId": "acme"}}, {"u": "other"}, "acme"),
        ({"userId": "u"}, {"u": "acme"}, "acme"),
        ({"userId": "told"}, {}, "heard"),
        ({"userId": "told"}, {"told": "acme"}, "acme"),
        ({"anonymousId": "a"}, {"anonymous:a": "acme"}, "acme"),
        ({"userId": "u"}, {}, None),
    ],
)
def test_whose_a_message_is(body: dict[str, Any], published: dict[str, str], wanted: str | None) -> None:
    belonging = Belonging()
    belonging.hear([read(accepted("group", userId="told", groupId="heard", traits={"name": "Heard Ltd"}))])
    assert belonging.groups == {"heard": "Heard Ltd"}
    assert belonging.customer(read(accepted(**body)), published) == wanted


def test_whose_a_thing_of_stripe_is() -> None:
    belonging = Belonging()
    failed = read(stripe_event("invoice.payment_failed", {"id": "in_1", "customer": "cus_1"}))
    assert belonging.customer(failed, {}) == "cus_1"
    assert belonging.customer(failed, {"cus_1": "acme"}) == "acme"
    belonging.hear([read(stripe_event("customer.updated", {"id": "cus_1", "metadata": {"customer_id": "corp"}}))])
    assert belonging.customer(failed, {}) == "corp"
    named = read(stripe_event("invoice.payment_failed", {"id": "in_2", "metadata": {"customer_id": "acme"}}))
    assert belonging.customer(named, {}) == "acme"


def test_a_subscription_without_an_id_tells_its_kind_alone() -> None:
    message = read(stripe_event("customer.subscription.deleted", {"customer": "cus_1", "status": "canceled"}))
    assert incident_names(message) == ("customer.subscription.deleted",)


def test_what_cannot_be_understood_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(message: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(incidents, "_told", broken)
    message = read(stripe_event("invoice.paid", {"id": "in_1"}))
    assert (incident_names(message), incident_of(message, "acme")) == ((), None)


def test_properties_are_texts_that_a_database_holds() -> None:
    found = incident_of(read(accepted(userId="u", event="e", properties={"a\x00": ["\ud800"]}, messageId="m")), "acme")
    assert found is not None
    assert found.properties == {"a\ufffd": ["\ufffd"]}

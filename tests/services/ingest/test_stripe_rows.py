"""Stripe's events as canonical rows."""

from typing import Any

import pytest

from keepwell.services.ingest.known import Known
from tests.services.ingest.sent import AT, batch_of, rows, stripe_event

AT_ISO = "2026-06-30T09:00:00+00:00"


def subscription(amount: int = 5000, quantity: int = 2, **more: Any) -> dict[str, Any]:
    price = {"id": "price_1", "nickname": "Pro", "product": "prod_1", "currency": "eur", "unit_amount": amount,
             "recurring": {"interval": "month", "interval_count": 1}}  # fmt: skip
    item = {"price": price, "quantity": quantity, "current_period_end": AT + 86400}
    return {"id": "sub_1", "customer": "cus_1", "status": "active", "currency": "eur", "start_date": AT - 86400,
            "items": {"data": [item]}, "cancel_at_period_end": False, **more}  # fmt: skip


def invoice(**more: Any) -> dict[str, Any]:
    parent = {"subscription_details": {"subscription": "sub_1", "metadata": {}}}
    return {"id": "in_1", "customer": "cus_1", "status": "open", "currency": "eur", "amount_due": 9900, "created": AT,
            "amount_paid": 0, "attempt_count": 2, "next_payment_attempt": AT + 9, "parent": parent, **more}  # fmt: skip


def test_a_failed_payment_is_an_open_invoice_and_an_attempt() -> None:
    batch = batch_of(stripe_event("invoice.payment_failed", invoice()))
    (bill,), (attempt,) = rows(batch, "invoices"), rows(batch, "payments")
    assert (bill["invoice_id"], bill["customer_id"], bill["subscription_id"]) == ("in_1", "cus_1", "sub_1")
    assert (bill["status"], bill["amount_due"], bill["amount_paid"]) == ("open", "99.00", "0.00")
    assert (bill["attempt_count"], bill["issued_at"], bill["paid_at"]) == (2, AT_ISO, None)
    assert (attempt["payment_id"], attempt["status"], attempt["amount"]) == ("in_1:2:failed", "failed", "99.00")
    assert (attempt["attempted_at"], attempt["properties"]) == (AT_ISO, {"currency": "EUR"})


def test_a_paid_invoice_of_an_older_version() -> None:
    old = invoice(status="paid", amount_paid=9900, charge="ch_1", subscription="sub_9", parent=None,
                  status_transitions={"paid_at": AT - 60, "finalized_at": AT - 3600})  # fmt: skip
    batch = batch_of(stripe_event("invoice.paid", old))
    (bill,), (payment,) = rows(batch, "invoices"), rows(batch, "payments")
    assert (bill["subscription_id"], bill["paid_at"]) == ("sub_9", "2026-06-30T08:59:00+00:00")
    assert (payment["payment_id"], payment["status"], payment["amount"]) == ("ch_1", "succeeded", "99.00")


def test_the_later_event_wins_whatever_came_last() -> None:
    paid = stripe_event("invoice.paid", invoice(status="paid"), id="e2", at=AT + 60)
    failed = stripe_event("invoice.payment_failed", invoice(), id="e1")
    for order in ((paid, failed), (failed, paid)):
        (bill,) = rows(batch_of(*order), "invoices")
        assert (bill["status"], bill["synced_at"]) == ("paid", "2026-06-30T09:01:00+00:00")


@pytest.mark.parametrize(
    ("currency", "minor", "major"),
    [("jpy", 500, "500.00"), ("KWD", 1234, "1.23"), ("usd", 5, "0.05"), ("usd", -5, None)],
)
def test_amounts_are_in_major_units(currency: str, minor: int, major: str | None) -> None:
    (bill,) = rows(batch_of(stripe_event("invoice.created", invoice(currency=currency, amount_due=minor))), "invoices")
    assert bill["amount_due"] == major


def test_a_subscription_has_its_monthly_revenue() -> None:
    batch = batch_of(stripe_event("customer.subscription.created", subscription()))
    (row,), (change,) = rows(batch, "subscriptions"), rows(batch, "subscription_changes")
    assert (row["mrr"], row["arr"], row["plan"], row["product"]) == ("100.00", "1200.00", "Pro", "prod_1")
    assert (row["quantity"], row["billing_interval"], row["renewal_date"]) == (2, "month", "2026-07-01")
    assert (row["status"], row["auto_renew"], row["started_at"]) == ("active", True, "2026-06-29T09:00:00+00:00")
    assert (change["change_type"], change["mrr_before"], change["mrr_after"]) == ("new", "0.00", "100.00")
    assert change["change_id"] == "evt_1:new"


def changed(before: dict[str, Any], **now: Any) -> list[tuple[str, str | None, str | None]]:
    event = stripe_event("customer.subscription.updated", subscription(**now), before=before)
    found = rows(batch_of(event), "subscription_changes")
    return [(row["change_type"], row["mrr_before"], row["mrr_after"]) for row in found]


def test_what_an_update_changed() -> None:
    smaller, larger = subscription(quantity=1)["items"], subscription(quantity=3)["items"]
    assert changed({"items": smaller}) == [("expansion", "50.00", "100.00")]
    assert changed({"items": larger}) == [("contraction", "150.00", "100.00")]
    assert changed({"quantity": 1}) == [("expansion", "50.00", "100.00")]
    old_plan = {"id": "basic", "nickname": "Basic", "amount": 5000, "interval": "month", "currency": "eur"}
    assert changed({"plan": old_plan}) == [("plan_change", "100.00", "100.00")]
    same = ("100.00", "100.00")
    assert changed({"cancel_at_period_end": False}, cancel_at_period_end=True) == [("cancellation_scheduled", *same)]
    assert changed({"cancel_at_period_end": True}) == [("cancellation_reversed", *same)]
    assert changed({"pause_collection": None}, pause_collection={"behavior": "void"}) == [("paused", *same)]
    assert changed({"pause_collection": {"behavior": "void"}}) == [("resumed", *same)]
    assert changed({"status": "trialing"}) == [("trial_ended", *same), ("new", "0.00", "100.00")]
    earlier = subscription()["items"]
    earlier["data"][0]["current_period_end"] = AT
    assert changed({"items": earlier}) == [("renewal", *same)]
    assert changed({"metadata": {}}) == []


def test_a_deleted_subscription_is_a_churn() -> None:
    why = {"reason": "cancellation_requested", "feedback": "too_expensive", "comment": "Bye"}
    gone = subscription(status="canceled", ended_at=AT, canceled_at=AT - 60, cancellation_details=why)
    batch = batch_of(stripe_event("customer.subscription.deleted", gone))
    (row,), (change,) = rows(batch, "subscriptions"), rows(batch, "subscription_changes")
    assert (row["status"], row["ended_at"], row["cancellation_feedback"]) == ("canceled", AT_ISO, "too_expensive")
    assert (change["change_type"], change["mrr_before"], change["mrr_after"]) == ("churned", "100.00", "0.00")
    assert change["reason"] == "too_expensive"


def test_refunds_and_disputes_are_payments_of_their_own() -> None:
    charge = {"id": "ch_1", "customer": "cus_1", "currency": "eur", "amount_refunded": 500, "invoice": "in_1"}
    dispute = {"id": "dp_1", "charge": "ch_1", "currency": "eur", "amount": 9900, "reason": "fraudulent"}
    (refund,) = rows(batch_of(stripe_event("charge.refunded", charge)), "payments")
    assert (refund["payment_id"], refund["status"], refund["amount"]) == ("ch_1:refunded", "refunded", "5.00")
    event = stripe_event("charge.dispute.created", dispute)
    (known,) = rows(batch_of(event, known=Known(payments={"ch_1": "acme"})), "payments")
    assert (known["customer_id"], known["status"], known["failure_code"]) == ("acme", "disputed", "fraudulent")
    (waiting,) = rows(batch_of(event), "payments")
    assert waiting["customer_id"] == "ch_1"


def test_metadata_says_whose_it_is() -> None:
    batch = batch_of(stripe_event("customer.updated", {"id": "cus_1", "metadata": {"customer_id": "acme"}}))
    assert batch.links == {"cus_1": "acme"}
    (bill,) = rows(batch_of(stripe_event("invoice.paid", invoice(metadata={"keepwell_customer_id": "b"}))), "invoices")
    assert bill["customer_id"] == "b"

"""Stripe's events over HTTP."""

import json
import time
from typing import Any

import pytest
import stripe
from django.test import Client

from keepwell.interfaces.api.ingest.stripe import SECRET
from tests.interfaces.api.ingest.programs import problem, written

pytestmark = pytest.mark.django_db

EVENT = {"id": "evt_1", "type": "invoice.payment_failed", "created": 1, "data": {"object": {"id": "in_1"}}}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "whsec_old, whsec_new")


def send(body: Any, *, secret: str = "whsec_new", at: float | None = None, **headers: str) -> Any:  # noqa: S107
    raw = body if isinstance(body, str) else json.dumps(body)
    moment = int(time.time() if at is None else at)
    signed = stripe.WebhookSignature._compute_signature(f"{moment}.{raw}", secret)
    given = {"Stripe-Signature": f"t={moment},v1={signed}", **headers}
    client = Client(enforce_csrf_checks=True)
    return client.generic("POST", "/hooks/stripe", raw, content_type="application/json", headers=given)


def test_a_signed_event_is_on_disk_when_it_is_answered_and_once() -> None:
    assert send(EVENT).json() == {"received": True, "repeated": False}
    assert send(EVENT, secret="whsec_old").json() == {"received": True, "repeated": True}  # noqa: S106
    assert written() == ["evt_1"]


def test_others_cannot_send() -> None:
    problem(send(EVENT, secret="whsec_other"), 400)  # noqa: S106
    assert "last 5 minutes" in problem(send(EVENT, at=time.time() - 400), 400)["detail"]
    problem(send(EVENT, **{"Stripe-Signature": ""}), 400)
    assert written() == []


@pytest.mark.parametrize("body", ["", "[]", "{", "{}", {**EVENT, "data": 1}, {**EVENT, "id": ""}, {**EVENT, "type": 1}])
def test_a_signed_body_that_is_no_event_is_refused(body: Any) -> None:
    problem(send(body), 400)
    assert written() == []


def test_without_a_secret_stripe_is_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET)
    assert SECRET in problem(send(EVENT), 404)["detail"]


def test_a_large_body_is_refused() -> None:
    problem(send({**EVENT, "x": "y" * 1_100_000}), 413)

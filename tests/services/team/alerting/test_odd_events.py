"""Events as no sane program sends them: each is heard or left, and none keeps those behind it from being heard."""

import json
import random
from typing import Any, Final

import pytest

from keepwell.services.ingest.messages import Rejected, checked, checked_stripe, parsed
from keepwell.services.team.alerting import follow
from keepwell.services.team.alerting.follow import follow_turn
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, JournalPlace
from tests.services.team.alerting.told import CUSTOMER, NOW, failed, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh")]
LEAVES: Final = (
    None, True, 0, -1, 1.5, 10**15, 10**30, -(10**400), 1e308, "", "x", "\x00", "\ud800", "😀", "\u202e", "a" * 3000,
    "2026-06-30T09:00:00Z", "0001-01-01", "9999-12-31T23:59:59+14:00", "NaN", "Infinity", "1e400", 10**11, "usd",
)  # fmt: skip
KEYS: Final = (
    "id", "amount_due", "amount_paid", "amount", "currency", "attempt_count", "next_payment_attempt", "reason", "score",
    "priority", "status", "metadata", "customer", "comment", "survey", "group", "subject", "ticket_id", "\x00k",
    "\ud800", "name", "value", "items", "created",
)  # fmt: skip
STRIPE: Final = ("invoice.payment_failed", "invoice.paid", "charge.refunded", "charge.dispute.created",
                 "customer.subscription.updated", "customer.subscription.deleted", "customer.created")  # fmt: skip


def odd(rng: random.Random, depth: int = 0) -> Any:
    if depth > 2 or rng.random() < 0.7:
        return rng.choice(LEAVES)
    if rng.random() < 0.3:
        return [odd(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return thing(rng, depth + 1)


def thing(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    return {rng.choice(KEYS): odd(rng, depth + 1) for _ in range(rng.randint(1, 10))}


@pytest.mark.parametrize("seed", range(12))
def test_no_event_stops_those_behind_it(published: Workspace, seed: int) -> None:
    rng, records = random.Random(seed), []
    names = sorted(ruling_of(published).rules.events)
    for number in range(40):
        known = rng.choice([CUSTOMER, "nobody", "\ud800", "a\x00b", "c" * 255])
        if rng.random() < 0.5:
            about = {
                "id": f"evt_{number}",
                "type": rng.choice(STRIPE),
                "created": rng.choice([*LEAVES, NOW.timestamp()]),
            }
            said = {**thing(rng), "metadata": {"customer_id": known}}
            body: Any = about | {"data": {"object": said, "previous_attributes": rng.choice([None, thing(rng)])}}
        else:
            body = {"type": "track", "event": rng.choice(names), "messageId": f"m-{number}-{rng.choice(LEAVES)}"[:250]}
            body |= {"userId": "u", "context": {"groupId": known}, "properties": thing(rng)}
        try:
            read = parsed(json.dumps(body).encode())
            taken = checked_stripe(read, received_at=NOW) if body["type"] in STRIPE else None
            records.append(taken or checked(read, None, received_at=NOW, fallback_id="x"))
        except Rejected:
            continue
    send(published, *records, failed())
    follow_turn(published, NOW)
    (place,) = JournalPlace.objects.exclude(reader=follow.FROM)
    assert place.position == sum(path.stat().st_size for path in follow.journal_of(published).root.glob("*.ndjson"))
    assert Alert.objects.filter(customer_id=CUSTOMER, rule="payment_failure").exists()

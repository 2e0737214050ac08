"""What is taken and what is not; and that nothing that can be sent breaks what follows."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.services.ingest import Rejected, checked, checked_stripe
from keepwell.services.ingest.batch import Batch
from keepwell.services.ingest.messages import EVENT_BYTES, KINDS, message_of, parsed
from tests.services.ingest.sent import NOW, batch_of

DEEP = json.loads("[" * 40 + "]" * 40)


def taken(body: Any, kind: str | None = "track") -> Any:
    return checked(body, kind, received_at=NOW, fallback_id="made-up")


def test_a_message_comes_back_from_its_line() -> None:
    body = {"userId": 7, "event": "Öl\u2028 \ud800\x00", "messageId": "a", "properties": {"x": [1, 2.5, None]}}
    record = taken(body)
    assert record.line.count(b"\n") == 1
    message = message_of(record.line)
    assert message is not None
    assert (message.id, message.kind, message.received_at, message.body) == ("a", "track", NOW, body)
    assert message_of(record.line[:-1]) is None
    assert taken({"userId": "u", "event": "e"}).id == "made-up"


@pytest.mark.parametrize(
    ("body", "kind", "where", "said"),
    [
        ([], "track", "", "an object"),
        ({"event": "e"}, "track", "userId", "is needed"),
        ({"event": "e", "userId": ""}, "track", "userId", "is needed"),
        ({"event": "e", "userId": True}, "track", "userId", "must be a text"),
        ({"event": "e", "userId": "u" * 256}, "track", "userId", "at most 255"),
        ({"event": "e", "userId": "u", "messageId": {}}, "track", "messageId", "must be a text"),
        ({"event": " ", "userId": "u"}, "track", "event", "what happened"),
        ({"userId": "u"}, "group", "groupId", "customer's id"),
        ({"userId": "u", "traits": "x"}, "identify", "traits", "an object"),
        ({"userId": "u", "event": "e", "timestamp": "yesterday"}, "track", "timestamp", "a moment"),
        ({"userId": "u", "event": "e", "type": "page"}, "track", "type", '"page"'),
        ({"userId": "u", "type": "charge"}, None, "type", "one of track"),
        ({"userId": "u", "event": "e", "properties": {"x": DEEP}}, "track", "", "32 levels"),
        ({"userId": "u", "event": "e", "properties": {"x": float("inf")}}, "track", "", "too large"),
    ],
)
def test_what_is_wrong_is_said(body: Any, kind: str | None, where: str, said: str) -> None:
    with pytest.raises(Rejected, match=said) as error:
        taken(body, kind)
    assert error.value.where == where


def test_32_kb_are_counted_as_they_are_sent() -> None:
    start = {"userId": "u", "event": "e", "properties": {"x": ""}}
    room = EVENT_BYTES - len(json.dumps(start, separators=(",", ":")))
    start["properties"] = {"x": "ö" * (room // 2)}
    assert taken(start)
    start["properties"] = {"x": "ö" * (room // 2 + 1)}
    with pytest.raises(Rejected, match="32 kB") as error:
        taken(start)
    assert error.value.too_large


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\x00", b'{"a": NaN}', b"[" * 100_000, b'{"a": ' + b"9" * 5000])
def test_what_is_no_json_is_rejected(raw: bytes) -> None:
    with pytest.raises(Rejected, match="The body"):
        parsed(raw)


TRAIT_NAMES = [
    "name", "email", "employees", "createdAt", "status", "mrr", "website", "address", "company", "renewalDate",
    "role", "é",
]  # fmt: skip
STRIPE_NAMES = [
    "id", "customer", "subscription", "status", "amount_due", "amount_paid", "attempt_count", "created",
    "currency", "items", "metadata", "parent", "charge", "cancel_at", "cancel_at_period_end", "pause_collection",
    "plan", "quantity", "status_transitions",
]  # fmt: skip
STRIPE_TYPES = [
    "invoice.paid", "invoice.payment_failed", "customer.subscription.created", "customer.subscription.updated",
    "customer.subscription.deleted", "customer.updated", "charge.refunded", "charge.dispute.created", "x",
]  # fmt: skip

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["active", "1e999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TRAITS = st.dictionaries(
    st.sampled_from(TRAIT_NAMES) | st.text(max_size=5),
    VALUES,
    max_size=6,
)
BODIES = st.fixed_dictionaries(
    {"userId": VALUES | st.text(min_size=1, max_size=5), "type": st.sampled_from(KINDS)},
    optional={
        "anonymousId": st.text(max_size=5),
        "groupId": VALUES | st.text(min_size=1, max_size=4),
        "event": VALUES | st.text(min_size=1, max_size=9),
        "messageId": VALUES,
        "timestamp": VALUES | st.datetimes().map(str),
        "sentAt": VALUES | st.datetimes().map(str),
        "properties": TRAITS,
        "traits": TRAITS,
        "context": st.dictionaries(st.sampled_from(["groupId", "page", "traits", "sessionId"]), VALUES | TRAITS),
    },
)


@settings(max_examples=300, deadline=None)
@given(body=BODIES)
def test_whatever_is_taken_becomes_rows_that_are_json(body: dict[str, Any]) -> None:
    try:
        record = taken(body, None)
    except Rejected:
        return
    written(batch_of(record))


STRIPE = st.dictionaries(
    st.sampled_from(STRIPE_NAMES),
    VALUES | st.just("cus_1") | st.just({"data": [{"price": {"unit_amount": 5, "recurring": {"interval": "year"}}}]}),
)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(STRIPE_TYPES),
    thing=STRIPE,
    before=VALUES | STRIPE,
    created=VALUES,
)
def test_whatever_stripe_sends_becomes_rows_that_are_json(kind: str, thing: Any, before: Any, created: Any) -> None:
    body = {"id": "evt", "type": kind, "created": created, "data": {"object": thing, "previous_attributes": before}}
    try:
        record = checked_stripe(body, received_at=NOW)
    except Rejected:
        return
    written(batch_of(record))


def written(batch: Batch) -> None:
    for _, content in batch.files():
        for line in content.splitlines():
            row = json.loads(line, parse_constant=lambda name: pytest.fail(name))
            assert "\x00" not in json.dumps(row, ensure_ascii=False)

"""Segment's messages as canonical rows."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.services.ingest.known import Known, KnownCustomer, KnownPerson
from tests.services.ingest.sent import NOW, accepted, batch_of, rows

ABOUT = {"source": "segment", "synced_at": "2026-06-30T09:00:00+00:00"}


def known() -> Known:
    return Known(
        customers={"acme": KnownCustomer("Acme", {"region": "north"})},
        people={"p1": KnownPerson("p1", "acme", {"team": "ops"})},
        users={"u1": "p1"},
        emails={"ada@acme.com": {"p1"}},
        anonymous={"a1": "u1"},
    )


def test_a_group_is_a_customer_and_traits_with_a_column_go_there() -> None:
    traits = {
        "name": "Bolt", "employees": 40, "website": "https://www.bolt.io/x", "address": {"country": "DE"},
        "renewalDate": "2027-01-31", "mrr": "99.5", "status": "Active", "tier": "gold", "colour": "red",
        "createdAt": 1_700_000_000, "company_size_hint": None, "seats_purchased": -3, "auto renew": "true",
    }  # fmt: skip
    (row,) = rows(batch_of(accepted("group", userId="u", groupId="bolt", traits=traits)), "customers")
    assert row == {
        "customer_id": "bolt", "name": "Bolt", "company_size": 40, "domain": "bolt.io", "country": "DE",
        "renewal_date": "2027-01-31", "mrr": 99.5, "status": "active", "tier": "gold", "auto_renew": True,
        "created_at": "2023-11-14T22:13:20+00:00", "updated_at": "2026-06-30T09:00:00+00:00", **ABOUT,
        "traits": {"address": {"country": "DE"}, "colour": "red", "company_size_hint": None,
                   "website": "https://www.bolt.io/x", "seats_purchased": -3},
    }  # fmt: skip


def test_traits_are_added_to_those_that_are_there_and_a_name_stays() -> None:
    first = accepted("group", userId="u1", groupId="acme", traits={"plan": "pro"})
    second = accepted("group", userId="u1", groupId="acme", traits={"colour": "red"}, at=NOW + timedelta(minutes=1))
    one, two = rows(batch_of(first, second, known=known()), "customers")
    assert (one["name"], one["plan"], one["traits"]) == ("Acme", "pro", {"region": "north"})
    # Each row says what the earlier ones said, so that the order of files does not matter.
    assert (two["name"], two["plan"], two["traits"]) == ("Acme", "pro", {"region": "north", "colour": "red"})
    (nameless,) = rows(batch_of(accepted("group", userId="u", groupId="new")), "customers")
    assert nameless["name"] == "new"


def test_identify_is_a_person_of_the_customer_that_is_named() -> None:
    traits = {"email": "bo@bolt.io", "firstName": "Bo", "lastName": "Ek", "title": "CFO", "company": {"id": "bolt"},
              "createdAt": "2026-01-01T00:00:00Z", "plan": "x"}  # fmt: skip
    (row,) = rows(batch_of(accepted("identify", userId="u2", anonymousId="a2", traits=traits)), "people")
    assert row.pop("traits") == {"firstName": "Bo", "lastName": "Ek", "company": {"id": "bolt"}, "plan": "x",
                                 "createdAt": "2026-01-01T00:00:00Z", "anonymous_id": "a2"}  # fmt: skip
    assert row == {
        "person_id": "u2", "customer_id": "bolt", "product_user_id": "u2", "email": "bo@bolt.io", "name": "Bo Ek",
        "title": "CFO", "first_seen_at": "2026-01-01T00:00:00+00:00", "last_seen_at": "2026-06-30T09:00:00+00:00",
        **ABOUT,
    }  # fmt: skip


def test_somebody_known_is_found_by_user_id_and_by_the_one_address() -> None:
    by_id = accepted("identify", userId="u1", traits={"title": "COO"})
    by_mail = accepted("identify", userId="u9", traits={"email": "ADA@acme.com"})
    for record in (by_id, by_mail):
        (row,) = rows(batch_of(record, known=known()), "people")
        assert (row["person_id"], row["customer_id"], row["traits"]) == ("p1", "acme", {"team": "ops"})
        assert "first_seen_at" not in row
    two = known()
    two.emails["ada@acme.com"].add("p2")
    (row,) = rows(batch_of(by_mail, known=two), "people")
    assert (row["person_id"], row["customer_id"]) == ("u9", "user:u9"), "never a guess"


@pytest.mark.parametrize(
    ("body", "customer", "person"),
    [
        ({"userId": "u1"}, "acme", "p1"),
        ({"userId": "u1", "context": {"groupId": "bolt"}}, "bolt", "p1"),
        ({"anonymousId": "a1"}, "acme", "p1"),
        ({"anonymousId": "a7"}, "anonymous:a7", None),
        ({"userId": "u7"}, "user:u7", "u7"),
        ({"userId": "u7", "context": {"traits": {"company": {"id": "bolt"}}}}, "bolt", "u7"),
    ],
)
def test_whose_event_it_is(body: dict[str, Any], customer: str, person: str | None) -> None:
    (row,) = rows(batch_of(accepted(**body), known=known()), "events")
    assert (row["customer_id"], row.get("person_id")) == (customer, person)


def test_a_group_call_explains_what_came_before_it() -> None:
    batch = batch_of(accepted(userId="u5", messageId="t"), accepted("group", userId="u5", groupId="bolt"))
    assert rows(batch, "events")[0]["customer_id"] == "bolt"
    assert rows(batch, "people")[0]["customer_id"] == "bolt"
    assert batch.links == {"user:u5": "bolt"}


def test_events_have_their_columns() -> None:
    properties = {"feature": "export", "revenue": "12.5", "sessionId": "s1", "x": [1]}
    track = accepted(userId="u1", event=" feature_used ", messageId="m1", properties=properties)
    page = accepted("page", userId="u1", messageId="m2", name="Pricing", context={"page": {"url": "https://x/y"}})
    screen = accepted("screen", userId="u1", messageId="m3")
    one, two, three = rows(batch_of(track, page, screen, known=known()), "events")
    at = "2026-06-30T09:00:00+00:00"
    assert one == {
        "event_id": "m1", "customer_id": "acme", "person_id": "p1", "name": "feature_used", "feature": "export",
        "session_id": "s1", "occurred_at": at, "received_at": at, "value": 12.5, "properties": properties, **ABOUT,
    }  # fmt: skip
    assert (two["name"], two["properties"]) == ("page_viewed", {"url": "https://x/y", "name": "Pricing"})
    assert three["name"] == "screen_viewed"
    assert list(batch_of(accepted("alias", userId="u", previousId="v")).files()) == []


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ({}, "09:00:00"),
        ({"timestamp": "2026-06-30T08:30:00Z"}, "08:30:00"),
        ({"timestamp": "2026-06-30T10:30:00+02:00"}, "08:30:00"),
        ({"timestamp": "2026-06-30T08:30:00Z", "sentAt": "2026-06-30T08:59:30Z"}, "08:30:00"),
        ({"timestamp": "2026-06-30T10:30:00Z", "sentAt": "2026-06-30T11:00:00Z"}, "08:30:00"),
        ({"timestamp": "2027-01-01T00:00:00Z"}, "09:00:00"),
    ],
)
def test_when_it_happened(times: dict[str, str], wanted: str) -> None:
    (row,) = rows(batch_of(accepted(userId="u", **times)), "events")
    assert row["occurred_at"] == f"2026-06-30T{wanted}+00:00"

"""What the warehouse knows of those whom a journal file names: customers, people and payments."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from keepwell.services.ingest.messages import STRIPE, Message
from keepwell.services.ingest.stripe_customers import customer_of
from keepwell.services.ingest.traits import company_of
from keepwell.services.ingest.values import first, mapping, text
from keepwell.warehouse.storage import Warehouse

PAYMENT_EVENTS: Final = ("payment_failed", "payment_succeeded")
"""What billing that is not Stripe is called when it is tracked."""


@dataclass
class KnownCustomer:
    """A customer, as far as messages need it."""

    name: str
    traits: dict[str, Any] = field(default_factory=dict)


@dataclass
class KnownPerson:
    """A person, as far as messages need it."""

    person_id: str
    customer_id: str
    traits: dict[str, Any] = field(default_factory=dict)
    last_seen_at: datetime | None = None


@dataclass
class Wanted:
    """Whom messages name."""

    customers: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    anonymous: set[str] = field(default_factory=set)
    payments: set[str] = field(default_factory=set)
    payers: set[str] = field(default_factory=set)


@dataclass
class Known:
    """Whom the warehouse knows of them, and whom the messages themselves tell."""

    customers: dict[str, KnownCustomer] = field(default_factory=dict)
    people: dict[str, KnownPerson] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    emails: dict[str, set[str]] = field(default_factory=dict)
    anonymous: dict[str, str] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def customer(self, name: str, told: Mapping[str, str]) -> str | None:
        """The known customer behind an id of its own or one that stands for it, by links that are kept or just told."""
        return next((c for c in (name, self.links.get(name), told.get(name)) if c in self.customers), None)

    def person(self, user: str) -> KnownPerson | None:
        """The person behind the id that the product uses."""
        return self.people.get(self.users.get(user, user))

    def by_email(self, email: str | None) -> KnownPerson | None:
        """The one person with an address; None when there are several."""
        found = self.emails.get(email.lower(), set()) if email else set()
        return self.people.get(next(iter(found))) if len(found) == 1 else None


def group_of(message: Message) -> str | None:
    """The customer that a message names itself."""
    body = message.body
    context, traits = mapping(body.get("context")), mapping(body.get("traits"))
    if message.kind == "group":
        return text(body.get("groupId"))
    named = first(context, "groupId", "group_id")
    return named or (company_of(traits) if message.kind == "identify" else company_of(mapping(context.get("traits"))))


def wanted_by(messages: Iterable[Message]) -> Wanted:
    """Whom messages name."""
    wanted = Wanted()
    for message in messages:
        if message.kind == STRIPE:
            wanted.payments |= set(payment_names(message.body))
            wanted.payers |= {customer_of(mapping(mapping(message.body.get("data")).get("object"))) or ""}
            continue
        if text(message.body.get("event")) in PAYMENT_EVENTS:
            wanted.payers |= {group_of(message) or "", text(message.body.get("userId")) or ""}
        for names, name in (
            (wanted.customers, group_of(message)),
            (wanted.users, text(message.body.get("userId"))),
            (wanted.anonymous, text(message.body.get("anonymousId"))),
            (wanted.emails, text(mapping(message.body.get("traits")).get("email"))),
        ):
            if name:
                names.add(name)
    return wanted


def payment_names(body: dict[str, Any]) -> list[str]:
    """The charge and the payment that an event of Stripe names."""
    thing = mapping(mapping(body.get("data")).get("object"))
    said = (thing.get("charge"), thing.get("payment_intent"))
    return [name for one in said if isinstance(one, str) and (name := text(one))]


def known_of(warehouse: Warehouse, wanted: Wanted) -> Known:
    """What the warehouse knows of them."""
    known = Known()
    _people(warehouse, wanted, known)
    _links(warehouse, wanted, known)
    _customers(warehouse, wanted.customers | _paying(wanted, known), known)
    rows = warehouse.connection.execute(
        "SELECT p.payment_id, json_extract_string(p.properties, '$.payment_intent'), k.customer_id FROM payments p"
        " JOIN customer_keys k USING (customer) WHERE p.payment_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        " OR json_extract_string(p.properties, '$.payment_intent') IN (SELECT unnest(CAST(? AS VARCHAR[])))",
        [sorted(wanted.payments)] * 2,
    ).fetchall()
    for payment, intent, customer in rows:
        known.payments |= {name: customer for name in (payment, intent) if name}
    return known


def _paying(wanted: Wanted, known: Known) -> set[str]:
    people = filter(None, map(known.person, wanted.payers))
    return wanted.payers | set(known.links.values()) | {person.customer_id for person in people}


def _links(warehouse: Warehouse, wanted: Wanted, known: Known) -> None:
    rows = warehouse.connection.execute(
        "SELECT unknown_id, customer_id FROM identity_links WHERE unknown_id IN (SELECT unnest(CAST(? AS VARCHAR[])))",
        [sorted(wanted.payers)],
    ).fetchall()
    known.links |= dict(rows)


def _customers(warehouse: Warehouse, wanted: set[str], known: Known) -> None:
    rows = warehouse.connection.execute(
        "SELECT k.customer_id, c.name, c.traits FROM customers c JOIN customer_keys k USING (customer)"
        " WHERE k.customer_id IN (SELECT unnest(CAST(? AS VARCHAR[])))",
        [sorted(wanted)],
    ).fetchall()
    for customer, name, traits in rows:
        known.customers[customer] = KnownCustomer(name, _object(traits))


def _people(warehouse: Warehouse, wanted: Wanted, known: Known) -> None:
    rows = warehouse.connection.execute(
        "WITH p AS (SELECT *, lower(email) AS address, json_extract_string(traits, '$.anonymous_id') AS anonymous"
        " FROM people WHERE deleted_at IS NULL)"
        " SELECT p.person_id, k.customer_id, p.product_user_id, p.address, p.anonymous, p.traits, p.last_seen_at"
        " FROM p JOIN customer_keys k USING (customer)"
        " WHERE p.person_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        " OR p.product_user_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        " OR p.address IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        " OR p.anonymous IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY p.person_id",
        [*[sorted(wanted.users)] * 2, sorted(one.lower() for one in wanted.emails), sorted(wanted.anonymous)],
    ).fetchall()
    for person, customer, user, address, anonymous, traits, seen in rows:
        known.people[person] = KnownPerson(person, customer, _object(traits), seen)
        if user:
            known.users[user] = person
        if address:
            known.emails.setdefault(address, set()).add(person)
        if anonymous:
            known.anonymous[anonymous] = user or person


def _object(value: str | None) -> dict[str, Any]:
    return mapping(json.loads(value)) if value else {}

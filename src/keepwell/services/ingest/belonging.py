"""Whose a message is, at once: what it says itself, what other messages said, and what was published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keepwell.services.ingest.known import group_of
from keepwell.services.ingest.messages import STRIPE, Message
from keepwell.services.ingest.stripe_customers import CUSTOMER_NAMES, customer_of
from keepwell.services.ingest.values import first, mapping, text

MOST: Final = 200_000
"""So many ids are kept of those that messages explained; the oldest go first."""


@dataclass
class Belonging:
    """What messages told about ids since the last publishing."""

    customers: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def hear(self, messages: Iterable[Message]) -> frozenset[str]:
        """Learn from group and identify calls, and from Stripe's customers; returns the ids that were told about."""
        told: set[str] = set()
        for message in messages:
            if message.kind == STRIPE:
                told |= self._hear_stripe(message.body)
            elif message.kind in ("group", "identify"):
                told |= self._hear_segment(message)
        for known in (self.customers, self.groups):
            while len(known) > MOST:
                known.pop(next(iter(known)))
        return frozenset(told)

    def ids(self, message: Message) -> tuple[str, ...]:
        """The ids by which others may know whose a message is."""
        if message.kind == STRIPE:
            found = customer_of(_thing(message.body))
            return () if found is None else (found,)
        user, anonymous = text(message.body.get("userId")), text(message.body.get("anonymousId"))
        # Quarantine shows an id with what it is of, so links that are made by hand have that form.
        return tuple(filter(None, (user, user and f"user:{user}", anonymous and f"anonymous:{anonymous}")))

    def customer(self, message: Message, published: Mapping[str, str]) -> str | None:
        """Whose a message is; None while nobody said."""
        group = None if message.kind == STRIPE else group_of(message)
        if group is not None:
            return group
        ids = self.ids(message)
        for known in (published, self.customers):
            if found := next((known[name] for name in ids if name in known), None):
                return found
        return ids[0] if message.kind == STRIPE and ids else None

    def _hear_segment(self, message: Message) -> set[str]:
        group = group_of(message)
        if group is None:
            return set()
        for name in self.ids(message):
            self.customers[name] = group
        if message.kind == "group":
            traits = mapping(message.body.get("traits"))
            self.groups[group] = first(traits, "name") or self.groups.get(group, group)
        return {group, *self.ids(message)}

    def _hear_stripe(self, body: dict[str, Any]) -> set[str]:
        thing = _thing(body)
        if body.get("type") in ("customer.created", "customer.updated"):
            named, own = first(mapping(thing.get("metadata")), *CUSTOMER_NAMES), text(thing.get("id"))
            if named and own:
                self.customers[own] = named
                return {own}
        return set()


def _thing(body: dict[str, Any]) -> dict[str, Any]:
    return mapping(mapping(body.get("data")).get("object"))

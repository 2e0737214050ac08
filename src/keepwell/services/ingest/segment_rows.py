"""Segment's messages as canonical rows: group → customer, identify → person, track, page and screen → event."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from keepwell.services.ingest.batch import Batch, Row
from keepwell.services.ingest.known import Known, KnownCustomer, KnownPerson, group_of
from keepwell.services.ingest.messages import Message
from keepwell.services.ingest.payment_states import put_payment_state
from keepwell.services.ingest.traits import customer_said, person_said
from keepwell.services.ingest.values import first, iso, mapping, moment, number, text

SOURCE: Final = "segment"
_SKEW: Final = timedelta(minutes=1)
_VIEWS: Final = {"page": "page_viewed", "screen": "screen_viewed"}
_PAGE: Final = ("url", "path", "title", "referrer")


def occurred(message: Message) -> datetime:
    """When it happened: a sender's clock that is wrong by more than a minute is set right by when it says it sent."""
    body, received = message.body, message.received_at
    said = moment(body.get("timestamp")) or moment(body.get("originalTimestamp"))
    if said is None:
        return received
    sent = moment(body.get("sentAt"))
    wrong = received - sent if sent is not None else timedelta()
    return min(said + wrong if abs(wrong) > _SKEW else said, received)


def learn(messages: Sequence[Message], known: Known) -> dict[str, str]:
    """Which customer each user belongs to by these messages, and which users the anonymous ones are."""
    belongs: dict[str, str] = {}
    for message in messages:
        user, anonymous = text(message.body.get("userId")), text(message.body.get("anonymousId"))
        if user and anonymous:
            known.anonymous[anonymous] = user
        group = group_of(message)
        if group and (user or anonymous):
            # Who is told apart by a group call or an identify call belongs there, whatever page was seen elsewhere.
            name = user or f"anonymous:{anonymous}"
            if message.kind in ("group", "identify") or name not in belongs:
                belongs[name] = group
    return belongs


def put_segment(message: Message, known: Known, belongs: Mapping[str, str], batch: Batch) -> None:
    """Put what a message says into a batch; an alias says nothing of its own."""
    match message.kind:
        case "group":
            _group(message, known, batch)
        case "identify":
            _identify(message, known, belongs, batch)
        case "track" | "page" | "screen":
            row = _event(message, known, belongs)
            batch.event(row)
            if message.kind == "track":
                put_payment_state(row["name"], row["customer_id"], row["occurred_at"], row, known, batch)


def put_links(messages: Iterable[Message], known: Known, belongs: Mapping[str, str], batch: Batch) -> None:
    """Rows that came before anybody said whose user this is wait under a name of theirs: whom it stands for now."""
    for message in messages:
        user = _user(message, known)
        person = known.person(user) if user else None
        customer = person.customer_id if person else belongs.get(user or "")
        if user is None or customer is None or customer == f"user:{user}":
            continue
        batch.links[f"user:{user}"] = customer
        if anonymous := text(message.body.get("anonymousId")):
            batch.links[f"anonymous:{anonymous}"] = customer


def _group(message: Message, known: Known, batch: Batch) -> None:
    customer = str(text(message.body.get("groupId")))
    said = customer_said(mapping(message.body.get("traits")))
    there = known.customers.setdefault(customer, KnownCustomer(customer))
    there.name = said.columns.pop("name", there.name)
    there.traits = {**there.traits, **said.traits}
    row = {"customer_id": customer, "name": there.name, **said.columns, "traits": there.traits}
    batch.customer({**row, "updated_at": iso(occurred(message)), **_about(message)})
    user = text(message.body.get("userId"))
    if user and known.person(user) is None:
        _new_person(message, user, customer, known, batch)


def _identify(message: Message, known: Known, belongs: Mapping[str, str], batch: Batch) -> None:
    user = _user(message, known)
    if user is None:
        return
    traits = mapping(message.body.get("traits"))
    said = person_said(traits)
    there = known.person(user) or known.by_email(said.columns.get("email"))
    if there is None:
        there = _new_person(message, user, group_of(message) or belongs.get(user) or f"user:{user}", known, batch)
    known.users[user] = there.person_id
    there.traits = {**there.traits, **said.traits, **_anonymous(message)}
    seen = occurred(message)
    there.last_seen_at = max(there.last_seen_at or seen.replace(tzinfo=None), seen.replace(tzinfo=None))
    row = {"person_id": there.person_id, "customer_id": there.customer_id, "product_user_id": user, **said.columns}
    row |= {"last_seen_at": f"{there.last_seen_at.isoformat()}+00:00", "traits": there.traits}
    batch.put("people", {**row, **_about(message)})


def _new_person(message: Message, user: str, customer: str, known: Known, batch: Batch) -> KnownPerson:
    person = known.people[user] = KnownPerson(user, customer)
    created = moment(mapping(message.body.get("traits")).get("createdAt")) if message.kind == "identify" else None
    row = {"person_id": user, "customer_id": customer, "product_user_id": user}
    first_seen = min(created, occurred(message)) if created else occurred(message)
    batch.put("people", {**row, "first_seen_at": iso(first_seen), **_about(message)})
    return person


def _event(message: Message, known: Known, belongs: Mapping[str, str]) -> Row:
    body, context = message.body, mapping(message.body.get("context"))
    user = _user(message, known)
    person = known.person(user) if user else None
    properties = _properties(message, context)
    row = {
        "event_id": message.id,
        "customer_id": group_of(message) or _customer(message, user, person, belongs),
        "person_id": person.person_id if person else user,
        "name": text(body.get("event")) if message.kind == "track" else _VIEWS[message.kind],
        "feature": first(properties, "feature"),
        "session_id": first(properties, "session_id", "sessionId") or first(context, "sessionId", "session_id"),
        "occurred_at": iso(occurred(message)),
        "received_at": iso(message.received_at),
        "value": next((v for n in ("value", "revenue") if (v := number(properties.get(n))) is not None), None),
        "properties": properties,
        **_about(message),
    }
    # A column that is nowhere in a file never came: unknown is not zero.
    return {name: value for name, value in row.items() if value is not None and value != {}}


def _customer(message: Message, user: str | None, person: KnownPerson | None, belongs: Mapping[str, str]) -> str:
    """The customer of who did it; a name that nobody has when that is unknown, so that the row waits."""
    anonymous = f"anonymous:{text(message.body.get('anonymousId'))}"
    if person is not None:
        return person.customer_id
    return belongs.get(user or anonymous) or (f"user:{user}" if user else anonymous)


def _properties(message: Message, context: Mapping[str, Any]) -> dict[str, Any]:
    properties = dict(mapping(message.body.get("properties")))
    if message.kind == "track":
        return properties
    page = mapping(context.get("page"))
    said = {name: message.body[name] for name in ("name", "category") if text(message.body.get(name))}
    return {**{name: page[name] for name in _PAGE if text(page.get(name))}, **said, **properties}


def _user(message: Message, known: Known) -> str | None:
    user = text(message.body.get("userId"))
    return user or known.anonymous.get(text(message.body.get("anonymousId")) or "")


def _anonymous(message: Message) -> dict[str, str]:
    anonymous = text(message.body.get("anonymousId"))
    return {"anonymous_id": anonymous} if anonymous else {}


def _about(message: Message) -> Row:
    return {"source": SOURCE, "synced_at": message.received_at.isoformat()}

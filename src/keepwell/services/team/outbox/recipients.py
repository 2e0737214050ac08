"""To whom a message goes, from whom it comes, and what is known of the customer: from what was published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import isnan
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from keepwell.playbooks.facts import Facts, Value
from keepwell.playbooks.messages import one_line
from keepwell.reporting.reading import CHURNED
from keepwell.services.published import PersonRow, customer_people
from keepwell.services.published.copies import Copies
from keepwell.services.published.reader import read_copies, row_of, rows_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person
from keepwell.warehouse.sql import listed

PRIMARY: Final = "primary"
EVERYBODY: Final = "all_users"
_ALWAYS: Final = frozenset({"customer_id", "name", "owner_email", "email", "status", "segments", "signals"})
_ORDER: Final[Mapping[str, tuple[str, ...]]] = {
    PRIMARY: ("champion", "admin", "decision_maker", "exec_sponsor", "billing", "user"),
    "champion": ("champion", "admin", "decision_maker", "exec_sponsor"),
    "decision_maker": ("decision_maker", "exec_sponsor", "champion", "admin"),
    "admin": ("admin", "champion", "decision_maker"),
    "billing": ("billing", "admin", "decision_maker"),
    "exec_sponsor": ("exec_sponsor", "decision_maker", "champion"),
}
"""Who stands in for whom, the best first: a message that somebody reads beats one that nobody gets."""


@dataclass(frozen=True)
class Addressee:
    """Somebody at a customer who can be written to."""

    address: str
    name: str = ""
    person_id: str = ""
    title: str = ""
    role: str = ""
    unsubscribed: bool = False

    @property
    def fields(self) -> dict[str, str]:
        """What messages can name of them."""
        first = self.name.split()[0] if self.name.split() else ""
        said = {"first_name": first, "name": self.name, "email": self.address, "title": self.title, "role": self.role}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True)
class Account:
    """A customer as messages see it."""

    customer_id: str
    company: str
    owner_email: str
    email: str
    facts: Facts


def account_of(workspace: Workspace, customer_id: str, names: Collection[str] | None = None) -> Account | None:
    """A customer on the published day; None when there is no such customer. `names` are the values that are asked for.

    All values are many columns, and a message names few of them.
    """

    def read(copies: Copies) -> Account | None:
        path = str(workspace.snapshots.path(copies.as_of))
        wanted = "*" if names is None else listed(sorted(_columns(path) & _wanted(names)))
        row = row_of(f"SELECT {wanted} FROM read_parquet(?) WHERE customer_id = ?", [path, customer_id])  # noqa: S608
        return None if row is None else _account(copies.as_of, row)

    return read_copies(workspace, read)


def _wanted(names: Collection[str]) -> frozenset[str]:
    return frozenset(column for name in names for column in (name, f"m.{name}")) | _ALWAYS


@lru_cache(maxsize=16)
def _columns(path: str) -> frozenset[str]:
    """The columns of a snapshot, which never changes."""
    return frozenset(row["column_name"] for row in rows_of("DESCRIBE SELECT * FROM read_parquet(?)", [path]))


def recipients(workspace: Workspace, account: Account, to: str) -> tuple[Addressee, ...]:
    """Who gets a message that is meant for a role: one person, or every user; nobody who left."""
    people = [_addressee(one) for one in customer_people(workspace, account.customer_id) if _reachable(one)]
    if to == EVERYBODY:
        return _each_once(people)
    for role in _ORDER.get(to, _ORDER[PRIMARY]):
        for one in people:
            if one.role == role:
                return (one,)
    if people or not is_address(account.email):
        return tuple(people[:1])
    return (Addressee(account.email.strip()),)


def owner_fields(email: str, person: Person | None, calendar_link: str) -> dict[str, str]:
    """What messages can name of a customer's owner; `person` is who that is in the workspace."""
    name = person.name if person else ""
    said = {
        "name": name,
        "first_name": name.split()[0] if name.split() else "",
        "email": person.email if person else email,
        "calendar_link": calendar_link,
    }
    return {field: value for field, value in said.items() if value}


def person_of(email: str) -> Person | None:
    """Who in the workspace has an address, as the own one or as an owner's."""
    wanted = email.strip().lower()
    if not wanted:
        return None
    people = Person.objects.filter(is_active=True).order_by("pk")
    return people.filter(email=wanted).first() or next((p for p in people if wanted in p.owner_emails), None)


def is_address(text: str) -> bool:
    """Whether something can be written to."""
    try:
        validate_email(text.strip())
    except ValidationError:
        return False
    return True


def _reachable(person: PersonRow) -> bool:
    return person.left_company_at is None and person.seat_status != "deactivated" and is_address(person.email or "")


def _addressee(person: PersonRow) -> Addressee:
    return Addressee(
        address=(person.email or "").strip(),
        name=one_line(person.name or ""),
        person_id=person.person_id,
        title=one_line(person.title or ""),
        role=person.role or "user",
        unsubscribed=bool(person.unsubscribed),
    )


def _each_once(people: Sequence[Addressee]) -> tuple[Addressee, ...]:
    return tuple({one.address.lower(): one for one in reversed(people)}.values())[::-1]


def _account(as_of: date, row: Mapping[str, Any]) -> Account:
    values = {name: _value(value) for name, value in row.items() if not name.startswith(("m.", "q."))}
    values |= {name.removeprefix("m."): _value(value) for name, value in row.items() if name.startswith("m.")}
    company = str(row["name"] or row["customer_id"])
    facts = Facts(
        as_of=as_of,
        values={name: value for name, value in values.items() if value is not None} | {"company": company},
        segments=frozenset(row.get("segments") or ()),
        signals=frozenset(row.get("signals") or ()),
        active=row["status"] != CHURNED,
    )
    return Account(str(row["customer_id"]), company, str(row["owner_email"] or ""), str(row["email"] or ""), facts)


def _value(value: Any) -> Value:
    if isinstance(value, float):
        return None if isnan(value) else value
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, bool | int | str | date) else None

"""Effects that change the customer itself: rows that the next job loads into the canonical data."""

from datetime import UTC
from typing import Any, Final

from keepwell.services.team.playing.wish import Result, Wish
from keepwell.store.models import CanonicalWrite
from keepwell.warehouse.columns import TABLE_COLUMNS

SOURCE: Final = "keepwell"
_TABLE: Final = "customers"


def assign(wish: Wish) -> tuple[Result, str]:
    """The customer gets another person."""
    role = str(wish.effect.details["to"])
    person = wish.person(role)
    if person is None:
        return {"refused": f"nobody is {role.replace('_', ' ')}"}, f"not assigned: nobody is {role}"
    if person.email == wish.owner_email or wish.owner_email in person.owner_emails:
        return {"person": person.pk}, f"is {person.shown_name}'s already"
    row = _write(wish, {"owner_email": person.email})
    return {"person": person.pk, "write": row.pk}, f"assigned to {person.shown_name}"


def update_fields(wish: Wish) -> tuple[Result, str]:
    """Fields of the customer get new values; the customer's other fields stay."""
    fields: dict[str, Any] = dict(wish.effect.details["fields"])
    unknown = sorted(set(fields) - set(TABLE_COLUMNS[_TABLE]))
    if unknown:
        return {"refused": f"customers have no {unknown[0]}"}, f"not written: customers have no {', '.join(unknown)}"
    row = _write(wish, fields)
    return {"write": row.pk}, "wrote " + ", ".join(f"{name} = {value}" for name, value in sorted(fields.items()))


def _write(wish: Wish, fields: dict[str, Any]) -> CanonicalWrite:
    moment = wish.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"customer_id": wish.run.customer_id, "name": wish.run.company}
    source = {"source": SOURCE, "synced_at": moment, "source_id": wish.effect.key}
    return CanonicalWrite.objects.create(table=_TABLE, row={**about, **fields, **source}, made_at=wish.now)

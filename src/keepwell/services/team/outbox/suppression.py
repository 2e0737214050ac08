"""Addresses that nothing is sent to, or no marketing."""

from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.here import workspace
from keepwell.services.team.outbox.written_back import subscribe_people, unsubscribe_people
from keepwell.services.team.prepared import Prepared
from keepwell.store.models import AuditEntry, Suppression

ALL: Final = "all"
MARKETING: Final = "marketing"
_KIND: Final = "address"
_OFF: Final = "address.allowed"
SCOPES: Final = {ALL: "Everything", MARKETING: "Marketing"}
_ON_LIST: Final = Prepared(lambda address: Suppression.objects.filter(address=address), address=str)


class SuppressionError(Exception):
    """What cannot be put on the list, or taken from it; the words say why."""


def plain_address(address: str) -> str:
    """An address as the list keeps it."""
    return address.strip().lower()


def suppressed(address: str, purpose: str) -> Suppression | None:
    """What stands against writing to an address; None when nothing does."""
    found = _ON_LIST.first(address=plain_address(address))
    return found if found and (found.scope == ALL or purpose == MARKETING) else None


def suppressions(search: str = "", *, why: str = "", scope: str = "") -> QuerySet[Suppression]:
    """The list, the newest first: all, or those with a part of an address, with a reason, of a scope."""
    found = Suppression.objects.select_related("added_by").order_by("-at", "-pk")
    found = found.filter(why=why) if why else found
    found = found.filter(scope=scope) if scope else found
    return found.filter(address__contains=plain_address(search)) if search.strip() else found


@transaction.atomic
def suppress(who: Actor, address: str, *, why: str, now: datetime, scope: str = ALL, note: str = "") -> Suppression:
    """Put an address on the list; what stands there for everything is never narrowed. Raises SuppressionError.

    Whose address it is becomes `unsubscribed` in the data with the next run.
    """
    plain = checked_address(address)
    about = {"why": why, "scope": scope, "at": now, "note": note[:255], "added_by": who.person}
    row, made = Suppression.objects.get_or_create(address=plain, defaults=about)
    if not made and (row.scope == scope or row.scope == ALL):
        if row.scope != scope and not _wants_no_news(plain):
            _record(
                who, row, "suppressed", f"No marketing to {plain}, once it may be written to again", now, scope=scope
            )
        return row
    if not made:
        Suppression.objects.filter(pk=row.pk).update(**about)
        row.refresh_from_db()
    people = unsubscribe_people(workspace(), [plain], now)
    _record(who, row, "suppressed", f"Nothing more to {plain}: {SCOPES[scope].lower()}", now, people=people)
    return row


@transaction.atomic
def allow(who: Actor, suppression_id: int, now: datetime, *, reason: str = "") -> None:
    """Take an address from the list, and back what the list wrote into the data. Raises SuppressionError if gone.

    Whose address got nothing at all and who had unsubscribed, too, stays without marketing; a second time ends that.
    """
    row = Suppression.objects.select_for_update().filter(pk=suppression_id).first()
    if row is None:
        raise SuppressionError("This address is no longer on the list.")
    if row.scope == ALL and _wants_no_news(row.address):
        row.scope, row.why, row.note = MARKETING, Suppression.Why.UNSUBSCRIBED, ""
        row.save(update_fields=["scope", "why", "note"])
        words = f"{row.address} may be written to again, but no marketing: it was unsubscribed"
        _record(who, row, "narrowed", words, now, reason=reason)
        return
    people = subscribe_people(workspace(), row.address, now)
    said = f" ({reason})" if reason else ""
    _record(who, row, "allowed", f"{row.address} may be written to again{said}", now, people=people, reason=reason)
    row.delete()


def checked_address(address: str) -> str:
    """An address in small letters; raises SuppressionError for what is none."""
    plain = plain_address(address)
    try:
        validate_email(plain)
    except ValidationError:
        raise SuppressionError(f"“{address.strip()}” is not an e-mail address such as ada@example.com.") from None
    return plain


def _wants_no_news(address: str) -> bool:
    """Whether it was told, since the address was last taken from the list altogether, that it wants no marketing."""
    told = AuditEntry.objects.filter(object_kind=_KIND, object_id=address[:255]).order_by("-pk")
    for action, after in told.values_list("action", "after"):
        if action == _OFF or (after or {}).get("scope") == MARKETING:
            return action != _OFF
    return False


def _record(who: Actor, row: Suppression, what: str, summary: str, now: datetime, **more: Any) -> None:
    record(
        who,
        at=now,
        action=f"address.{what}",
        kind=_KIND,
        object_id=row.address,
        summary=summary,
        after={"why": row.why, "scope": row.scope, "note": row.note, **more},
    )

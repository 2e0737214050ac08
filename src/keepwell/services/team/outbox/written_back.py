"""Who is not to be written to is `unsubscribed` in the canonical data: metrics and exports say what the list says.

What the data calls unsubscribed by itself stays so whatever happens to the list: only what was written here is taken
back.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Final

from keepwell.services.published.addresses import AddressRow, people_by_address
from keepwell.services.workspace import Workspace
from keepwell.store.models import CanonicalWrite, Suppression

SOURCE: Final = "keepwell"
SOURCE_ID: Final = "unsubscribed"
AT_ONCE: Final = 1_000
_TABLE: Final = "people"


def unsubscribe_people(workspace: Workspace, addresses: Collection[str], now: datetime) -> list[str]:
    """Write that the people with these addresses are unsubscribed, where the data does not say so; their ids."""
    people = people_by_address(workspace, addresses)
    last = _last_written(people)
    wanted = [one for one in people if _is_news(one, last.get(one.person_id))]
    return _write(wanted, True, now)


def subscribe_people(workspace: Workspace, address: str, now: datetime) -> list[str]:
    """Take back for the people with an address what was written for them; their ids."""
    people = people_by_address(workspace, [address])
    last = _last_written(people)
    return _write([one for one in people if _says(last.get(one.person_id))], False, now)


def catch_up(workspace: Workspace, now: datetime) -> list[str]:
    """The same for everybody on the list: people who came later, and files that said something else since."""
    listed = sorted(Suppression.objects.values_list("address", flat=True))
    found = (unsubscribe_people(workspace, listed[n : n + AT_ONCE], now) for n in range(0, len(listed), AT_ONCE))
    return [person for part in found for person in part]


def _is_news(one: AddressRow, last: CanonicalWrite | None) -> bool:
    if last is not None and last.loaded_at is None:
        return not _says(last)
    return not one.unsubscribed


def _says(last: CanonicalWrite | None) -> bool:
    return last is not None and bool(last.row["unsubscribed"])


def _last_written(people: Iterable[AddressRow]) -> dict[str, CanonicalWrite]:
    """What was written here of each person at last."""
    ids = [one.person_id for one in people]
    rows = CanonicalWrite.objects.filter(table=_TABLE, row__source_id=SOURCE_ID, row__person_id__in=ids)
    return {str(row.row["person_id"]): row for row in rows.order_by("pk")}


def _write(people: Iterable[AddressRow], unsubscribed: bool, now: datetime) -> list[str]:
    about = {"unsubscribed": unsubscribed, "source": SOURCE, "source_id": SOURCE_ID}
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = [
        CanonicalWrite(
            table=_TABLE,
            row={"person_id": one.person_id, "customer_id": one.customer_id, "synced_at": moment, **about},
            made_at=now,
        )
        for one in people
    ]
    CanonicalWrite.objects.bulk_create(rows, batch_size=500)
    return [one.person_id for one in people]

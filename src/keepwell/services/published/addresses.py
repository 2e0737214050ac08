"""Whose an e-mail address is, as of the last publishing: one address may be that of people at several customers."""

from collections.abc import Collection
from dataclasses import dataclass

from keepwell.services.published.copies import PEOPLE, Copies, copies_current
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.workspace import Workspace


@dataclass(frozen=True)
class AddressRow:
    """A person with an address, in small letters."""

    address: str
    person_id: str
    customer_id: str
    unsubscribed: bool


def people_by_address(workspace: Workspace, addresses: Collection[str]) -> tuple[AddressRow, ...]:
    """The people with these addresses (in small letters); none before the first publishing."""
    if not addresses or copies_current(workspace) is None:
        return ()

    def read(copies: Copies) -> tuple[AddressRow, ...]:
        sql = (
            "SELECT lower(trim(email)) AS address, person_id, customer_id,"
            " coalesce(unsubscribed, false) AS unsubscribed FROM read_parquet(?)"
            " WHERE lower(trim(email)) IN (SELECT unnest(CAST(? AS VARCHAR[])))"
            " ORDER BY person_id, customer_id"
        )
        return tuple(AddressRow(**row) for row in rows_of(sql, [copies.path(PEOPLE), sorted(addresses)]))

    return read_copies(workspace, read)

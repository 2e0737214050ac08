"""Whose ids are that events come with, as of the last publishing."""

from collections.abc import Collection

from keepwell.services.published.copies import IDENTITIES, Copies, copies_current
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.workspace import Workspace


def customers_by_identity(workspace: Workspace, ids: Collection[str]) -> dict[str, str]:
    """The customer of each id that is known: of a person, of a visitor (`anonymous:ID`), or linked by hand."""
    copies = copies_current(workspace)
    # Copies that an earlier version of the program made have no such file: the next run makes it.
    if not ids or copies is None or not (copies.folder / IDENTITIES).exists():
        return {}

    def read(copies: Copies) -> dict[str, str]:
        sql = "SELECT id, customer_id FROM read_parquet(?) WHERE id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        return {row["id"]: row["customer_id"] for row in rows_of(sql, [copies.path(IDENTITIES), sorted(ids)])}

    return read_copies(workspace, read)


def people_by_identity(workspace: Workspace, ids: Collection[str]) -> dict[str, str]:
    """The person of each id that is somebody's own: its person_id, its id in the product, or that of its visits."""
    copies = copies_current(workspace)
    if not ids or copies is None or not (copies.folder / IDENTITIES).exists():
        return {}

    def read(copies: Copies) -> dict[str, str]:
        path = copies.path(IDENTITIES)
        described = rows_of("SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))", [path])
        # Copies that an earlier version of the program made do not say who: the next run does.
        if not any(row["column_name"] == "person_id" for row in described):
            return {}
        wanted = "WHERE person_id IS NOT NULL AND id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        sql = f"SELECT id, person_id FROM read_parquet(?) {wanted}"  # noqa: S608 - own names
        return {row["id"]: row["person_id"] for row in rows_of(sql, [path, sorted(ids)])}

    return read_copies(workspace, read)
